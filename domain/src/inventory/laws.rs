//! Laws 3 and 4 on random stock: whatever is asked for, in whatever order, they hold after every step.
//!
//! The tally is counted from the events alone, with arithmetic that fails on overflow, so that a mistake in a state
//! can't hide itself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::fixtures::{of, units};
use super::{
    AdjustStock, ReceiveStock, ReleaseStock, Reservation, ReservationEvent, ReserveStock,
    RestockReturn, ShipStock, SkuQuantity, Stock, StockEvent, WriteOff,
};
use crate::catalog::fixtures::{gbp, product, sku};
use crate::command::Command;
use crate::decide::Aggregate;
use crate::event::Event;
use crate::ids::{OrderId, ReturnId, ShipmentId, Sku};
use crate::spec::{Given, given};
use crate::text::Reason;

const SKUS: [&str; 2] = ["A", "B"];

/// What happened to the units of one SKU and one order.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    reserved: i64,
    released: i64,
    shipped: i64,
    returned: i64,
}

/// What happened to the units of one SKU.
#[derive(Debug, Default, Clone, Copy)]
struct Moved {
    came: i64,
    went: i64,
}

struct World {
    given: Given,
    stocks: BTreeMap<Sku, Stock>,
    reservations: BTreeMap<OrderId, Reservation>,
    moved: BTreeMap<Sku, Moved>,
    held: BTreeMap<(OrderId, Sku), Held>,
    made: BTreeMap<OrderId, u32>,
}

impl World {
    fn new() -> Self {
        Self {
            given: given(SKUS.map(|code| product(code, gbp(1)))),
            stocks: BTreeMap::new(),
            reservations: BTreeMap::new(),
            moved: BTreeMap::new(),
            held: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    fn step(mut self, command: Command) -> Self {
        let when = self.given.when(command);
        let events = when.events().to_vec();
        self.given = when.after();
        for event in events {
            match &event {
                Event::Stock(event) => self.count(event),
                Event::Reservation(event) => self.follow(event),
                Event::Product(_)
                | Event::Customer(_)
                | Event::Order(_)
                | Event::Payment(_)
                | Event::Shipment(_)
                | Event::Command(_)
                | Event::Operator(_) => {}
            }
        }
        self
    }

    fn count(&mut self, event: &StockEvent) {
        let sku = event.sku().clone();
        let stock = self.stocks.remove(&sku).unwrap_or_default();
        self.stocks.insert(sku.clone(), stock.evolve(event));
        let moved = self.moved.entry(sku.clone()).or_default();
        let mut held = Held::default();
        match event {
            StockEvent::StockReceived(event) => moved.came += i64::from(event.quantity.get()),
            StockEvent::StockAdjusted(event) => moved.came += event.delta,
            StockEvent::StockReserved(event) => held.reserved = event.quantity.get().into(),
            StockEvent::StockReleased(event) => held.released = event.quantity.get().into(),
            StockEvent::StockShipped(event) => {
                moved.went += i64::from(event.quantity.get());
                held.shipped = event.quantity.get().into();
            }
            StockEvent::StockRestocked(event) => {
                moved.came += i64::from(event.quantity.get());
                held.returned = event.quantity.get().into();
            }
            StockEvent::StockWrittenOff(event) => moved.went += i64::from(event.quantity.get()),
        }
        if let Some(order_id) = event.order_id() {
            let total = self.held.entry((order_id.clone(), sku)).or_default();
            total.reserved += held.reserved;
            total.released += held.released;
            total.shipped += held.shipped;
            total.returned += held.returned;
        }
    }

    fn follow(&mut self, event: &ReservationEvent) {
        let order_id = event.order().clone();
        if matches!(event, ReservationEvent::ReservationMade(_)) {
            *self.made.entry(order_id.clone()).or_default() += 1;
        }
        let reservation = self.reservations.remove(&order_id).unwrap_or_default();
        self.reservations.insert(order_id, reservation.evolve(event));
    }

    /// Law 3.
    fn check_stock(&self) -> Result<(), TestCaseError> {
        for (sku, stock) in &self.stocks {
            let moved = self.moved[sku];
            prop_assert!(stock.is_balanced(), "{sku}: {stock:?}");
            prop_assert_eq!(moved.came - moved.went, stock.on_hand(), "{}: {:?}", sku, stock);
            prop_assert!(stock.available() >= 0, "{sku}: {stock:?}");
            let of_sku = self.held.iter().filter(|((_, of), _)| of == sku);
            let held: i64 = of_sku.map(|(_, h)| h.reserved - h.released - h.shipped).sum();
            prop_assert_eq!(stock.reserved(), held, "{}: {:?}", sku, stock);
        }
        Ok(())
    }

    /// Law 4.
    fn check_reservations(&self) -> Result<(), TestCaseError> {
        for ((order_id, sku), held) in &self.held {
            let left = held.reserved - held.released - held.shipped;
            prop_assert!(left >= 0, "{order_id} {sku}: {held:?}");
            prop_assert!(held.returned <= held.shipped, "{order_id} {sku}: {held:?}");
            let known = self.reservations[order_id].held();
            let known = known.iter().find(|line| line.sku == *sku);
            prop_assert_eq!(known.map_or(0, |line| line.quantity.get().into()), left);
        }
        prop_assert!(self.made.values().all(|times| *times == 1), "reserved more than once");
        Ok(())
    }
}

/// At most so many lines, each of less than so many units.
fn lines(most: usize, units: u32) -> impl Strategy<Value = Vec<SkuQuantity>> {
    prop::collection::vec((0..SKUS.len(), 1..units), 0..=most)
        .prop_map(|lines| lines.into_iter().map(|(at, n)| of(SKUS[at], n)).collect())
}

fn order() -> impl Strategy<Value = OrderId> {
    (1..3).prop_map(|n| OrderId::parse(&format!("o{n}")).unwrap())
}

fn command() -> impl Strategy<Value = Command> {
    let any_sku = || (0..SKUS.len()).prop_map(|at| sku(SKUS[at]));
    prop_oneof![
        4 => (any_sku(), 1..40_u32)
            .prop_map(|(sku, n)| ReceiveStock { sku, quantity: units(n), reason: None }.into()),
        2 => (any_sku(), -10..10_i64).prop_map(|(sku, delta)| {
            AdjustStock { sku, delta, reason: Reason::parse("counted").unwrap() }.into()
        }),
        4 => (order(), lines(4, 8))
            .prop_map(|(order_id, lines)| ReserveStock { order_id, lines }.into()),
        1 => (order(), prop::option::of(lines(2, 4)))
            .prop_map(|(order_id, lines)| ReleaseStock { order_id, lines, cancellation_id: None }.into()),
        5 => (order(), 1..4_u32, lines(2, 3)).prop_map(|(order_id, n, lines)| {
            ShipStock { shipment_id: ShipmentId::nth(&order_id, n), order_id, lines }.into()
        }),
        3 => (order(), 1..4_u32, lines(2, 3)).prop_map(|(order_id, n, lines)| {
            RestockReturn { return_id: ReturnId::nth(&order_id, n), order_id, lines }.into()
        }),
        3 => (order(), 1..4_u32, lines(2, 3)).prop_map(|(order_id, n, lines)| {
            WriteOff { return_id: ReturnId::nth(&order_id, n), order_id, lines }.into()
        }),
    ]
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(command(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_unit_is_accounted_for_and_no_stock_is_below_0(commands in commands()) {
        let mut world = World::new();
        for command in commands {
            world = world.step(command);
            world.check_stock()?;
        }
    }

    #[test]
    fn a_reserved_unit_ends_once_shipped_or_released(commands in commands()) {
        let mut world = World::new();
        for command in commands {
            world = world.step(command);
            world.check_reservations()?;
        }
    }
}

#[test]
fn the_random_commands_reach_everything_that_can_happen_to_stock() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..96 {
        let commands = commands().new_tree(&mut runner).unwrap().current();
        let mut given = World::new().given;
        for command in commands {
            let when = given.when(command);
            seen.extend(when.events().iter().map(Event::event_type));
            given = when.after();
        }
    }
    let all = StockEvent::TYPES.iter().chain(ReservationEvent::TYPES);
    let missing: Vec<_> = all.map(|t| t.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
