//! Laws 1, 5 and 7 on random orders: whatever is asked for, in whatever order, they hold after every step.
//!
//! The tally is counted from the events alone, with arithmetic that fails on overflow, so that a mistake in a state
//! can't hide itself.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::fixtures::{
    TOTAL, authorized, cancellation_id, captured, of, order_id, payment_id, placed, return_id,
    shipment_id, shop,
};
use super::{
    CancelLines, CancelOrder, CompleteOrder, ConfirmOrder, DeclineCancellation, EraseOrder,
    FinishCancellation, FinishRejection, HoldOrder, LineNumber, LineQuantity, Order, OrderEvent,
    OrderPlaced, OrderStatus, PlaceDraft, ReceiveReturn, RecordDelivered, RecordShipped,
    RejectOrder, ReleaseHold, RequestReturn, SettleCancellation,
};
use crate::catalog::ChangePrice;
use crate::catalog::fixtures::{gbp, sku};
use crate::command::Command;
use crate::decide::Aggregate;
use crate::event::Event;
use crate::spec::{Given, given};
use crate::text::{Quantity, Reason};

/// A step of a random story. The sagas' steps are as the sagas would send them: a parcel is shipped with open units,
/// and arrives with what was in it.
#[derive(Debug, Clone)]
enum Step {
    Ask(Command),
    ShipAllOpen(u32),
    Deliver(u32),
}

/// What happened to the units of one line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    ordered: u32,
    cancelled: u32,
    shipped: u32,
    delivered: u32,
    returned: u32,
}

struct World {
    given: Given,
    order: Order,
    tallies: BTreeMap<LineNumber, Tally>,
    parcels: BTreeMap<u32, Vec<LineQuantity>>,
}

impl World {
    fn new() -> Self {
        let placed = OrderPlaced { customer_id: None, ..placed() };
        let ordered = |quantity: Quantity| Tally { ordered: quantity.get(), ..Tally::default() };
        Self {
            order: Order::default().evolve(&placed.clone().into()),
            tallies: placed.lines.iter().map(|line| (line.line, ordered(line.quantity))).collect(),
            given: given(shop()).and([placed]).and(authorized(1, TOTAL)),
            parcels: BTreeMap::new(),
        }
    }

    fn command(&self, step: Step) -> Command {
        let order_id = order_id();
        match step {
            Step::Ask(command) => command,
            Step::ShipAllOpen(nth) => {
                let open = self.order.lines().iter().filter_map(|line| {
                    let quantity = Quantity::new(line.cancellable()).ok()?;
                    Some(LineQuantity { line: line.line, quantity })
                });
                let lines = open.collect();
                RecordShipped { order_id, shipment_id: shipment_id(nth), lines }.into()
            }
            Step::Deliver(nth) => {
                let lines = self.parcels.get(&nth).cloned().unwrap_or_default();
                RecordDelivered { order_id, shipment_id: shipment_id(nth), lines }.into()
            }
        }
    }

    /// Takes a step; answers what followed of it for the order.
    fn step(&mut self, step: Step) -> Vec<OrderEvent> {
        let command = self.command(step);
        let given = std::mem::replace(&mut self.given, given::<Event>([]));
        let when = given.when(command);
        let mut events = Vec::new();
        for event in when.events() {
            if let Event::Order(event) = event {
                events.push(event.clone());
            }
        }
        self.given = when.after();
        for event in &events {
            self.order = std::mem::take(&mut self.order).evolve(event);
            self.count(event);
        }
        events
    }

    fn count(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::LinesCancelled(event) => {
                self.add(&event.lines, |tally| &mut tally.cancelled);
            }
            OrderEvent::LinesShipped(event) => {
                self.add(&event.lines, |tally| &mut tally.shipped);
                let nth = (1..9).find(|nth| shipment_id(*nth) == event.shipment_id).unwrap();
                self.parcels.insert(nth, event.lines.clone());
                let due = worth(&event.lines);
                let given = std::mem::replace(&mut self.given, given::<Event>([]));
                self.given = given.and(captured(nth, due));
            }
            OrderEvent::LinesDelivered(event) => {
                self.add(&event.lines, |tally| &mut tally.delivered);
            }
            OrderEvent::ReturnReceived(event) => {
                self.add(&event.lines, |tally| &mut tally.returned);
            }
            OrderEvent::DraftCreated(_)
            | OrderEvent::LineAdded(_)
            | OrderEvent::QuantityChanged(_)
            | OrderEvent::LineRemoved(_)
            | OrderEvent::OrderPlaced(_)
            | OrderEvent::OrderConfirmed(_)
            | OrderEvent::PaymentReplaced(_)
            | OrderEvent::RejectionStarted(_)
            | OrderEvent::OrderRejected(_)
            | OrderEvent::OrderHeld(_)
            | OrderEvent::HoldReleased(_)
            | OrderEvent::CancellationRequested(_)
            | OrderEvent::CancellationDeclined(_)
            | OrderEvent::OrderCancelled(_)
            | OrderEvent::ReturnRequested(_)
            | OrderEvent::OrderCompleted(_)
            | OrderEvent::OrderErased(_) => {}
        }
    }

    fn add(&mut self, lines: &[LineQuantity], count: fn(&mut Tally) -> &mut u32) {
        for line in lines {
            *count(self.tallies.get_mut(&line.line).unwrap()) += line.quantity.get();
        }
    }

    /// Law 1.
    fn check_lines(&self) -> Result<(), TestCaseError> {
        for (number, tally) in &self.tallies {
            let line = self.order.line(*number).unwrap();
            prop_assert!(line.is_balanced(), "{line:?}");
            prop_assert!(tally.cancelled + tally.shipped <= tally.ordered, "{tally:?}");
            prop_assert_eq!(line.open(), tally.ordered - tally.cancelled - tally.shipped);
            prop_assert!(tally.shipped >= tally.delivered, "{tally:?}");
            prop_assert!(tally.delivered >= tally.returned, "{tally:?}");
            let known = Tally {
                ordered: line.ordered,
                cancelled: line.cancelled,
                shipped: line.shipped,
                delivered: line.delivered,
                returned: line.returned,
            };
            prop_assert_eq!(known, *tally);
        }
        Ok(())
    }

    /// Law 5.
    fn check_prices(&self, events: &[OrderEvent]) -> Result<(), TestCaseError> {
        let placed = placed();
        prop_assert_eq!(self.order.total(), placed.total);
        prop_assert_eq!(self.order.currency(), Some(placed.currency));
        for (line, frozen) in self.order.lines().iter().zip(&placed.lines) {
            prop_assert_eq!(line.unit_price, frozen.unit_price);
        }
        for event in events {
            if let OrderEvent::LinesCancelled(event) = event {
                prop_assert_eq!(event.amount, worth(&event.lines));
            }
            if let OrderEvent::ReturnReceived(event) = event {
                prop_assert_eq!(event.amount, worth(&event.lines));
            }
        }
        Ok(())
    }
}

/// What these units cost at the prices of the placed order.
fn worth(lines: &[LineQuantity]) -> i64 {
    let frozen = placed().lines;
    let cost = |line: &LineQuantity| {
        let frozen = frozen.iter().find(|frozen| frozen.line == line.line).unwrap();
        frozen.unit_price * i64::from(line.quantity.get())
    };
    lines.iter().map(cost).sum()
}

/// Law 7: what may still follow once an order has ended.
fn may_follow(ended: OrderStatus, event: &OrderEvent) -> bool {
    match event {
        OrderEvent::OrderErased(_) => true,
        OrderEvent::ReturnRequested(_) | OrderEvent::ReturnReceived(_) => {
            ended == OrderStatus::Completed
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::OrderPlaced(_)
        | OrderEvent::OrderConfirmed(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::LinesCancelled(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::OrderCompleted(_) => false,
    }
}

fn lines() -> impl Strategy<Value = Vec<LineQuantity>> {
    prop::collection::vec((1..5_u32, 1..5_u32), 0..3)
        .prop_map(|lines| lines.into_iter().map(|(line, n)| of(line, n)).collect())
}

fn ask(command: impl Into<Command>) -> BoxedStrategy<Step> {
    Just(Step::Ask(command.into())).boxed()
}

fn reason() -> Reason {
    Reason::parse("out_of_stock").unwrap()
}

fn before_the_pivot() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => ask(ConfirmOrder { order_id: order_id(), payment_id: Some(payment_id(1)) }),
        1 => ask(RejectOrder { order_id: order_id(), reason: reason() }),
        3 => ask(FinishRejection { order_id: order_id() }),
        3 => ask(FinishCancellation { order_id: order_id() }),
        1 => ask(HoldOrder { order_id: order_id(), reason: None }),
        3 => ask(ReleaseHold { order_id: order_id(), reason: None }),
        1 => ask(PlaceDraft { order_id: order_id(), reason: None }),
        1 => ask(EraseOrder { order_id: order_id(), reason: None }),
        1 => (0..999_i64).prop_map(|minor| {
            Step::Ask(ChangePrice { sku: sku("A"), unit_price: gbp(minor), reason: None }.into())
        }),
    ]
}

fn after_the_pivot() -> impl Strategy<Value = Step> {
    let order_id = order_id();
    prop_oneof![
        1 => ask(CancelOrder { order_id: order_id.clone(), reason: None }),
        3 => lines().prop_map(|lines| {
            Step::Ask(CancelLines { order_id: super::fixtures::order_id(), lines, reason: None }.into())
        }),
        4 => (1..4_u32).prop_map(|n| {
            let (order_id, cancellation_id) = (super::fixtures::order_id(), cancellation_id(n));
            Step::Ask(SettleCancellation { order_id, cancellation_id }.into())
        }),
        2 => (1..4_u32).prop_map(|n| {
            let (order_id, cancellation_id) = (super::fixtures::order_id(), cancellation_id(n));
            Step::Ask(DeclineCancellation { order_id, cancellation_id, reason: reason() }.into())
        }),
        4 => (1..5_u32, lines()).prop_map(|(n, lines)| {
            let (order_id, shipment_id) = (super::fixtures::order_id(), shipment_id(n));
            Step::Ask(RecordShipped { order_id, shipment_id, lines }.into())
        }),
        2 => (1..6_u32).prop_map(Step::ShipAllOpen),
        8 => (1..6_u32).prop_map(Step::Deliver),
        1 => (1..5_u32, lines()).prop_map(|(n, lines)| {
            let (order_id, shipment_id) = (super::fixtures::order_id(), shipment_id(n));
            Step::Ask(RecordDelivered { order_id, shipment_id, lines }.into())
        }),
        3 => ask(CompleteOrder { order_id }),
        4 => lines().prop_map(|lines| {
            Step::Ask(RequestReturn { order_id: super::fixtures::order_id(), lines, reason: None }.into())
        }),
        4 => (1..4_u32, any::<bool>()).prop_map(|(n, restock)| {
            let (order_id, return_id) = (super::fixtures::order_id(), return_id(n));
            Step::Ask(ReceiveReturn { order_id, return_id, restock, reason: None }.into())
        }),
    ]
}

fn story() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![1 => before_the_pivot(), 4 => after_the_pivot()];
    (prop::collection::vec(before_the_pivot(), 0..4), prop::collection::vec(step, 0..60))
        .prop_map(|(begin, rest)| [begin, rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_unit_of_a_line_is_open_cancelled_or_shipped(story in story()) {
        let mut world = World::new();
        for step in story {
            world.step(step);
            world.check_lines()?;
        }
    }

    #[test]
    fn prices_and_currency_stay_as_they_were_placed(story in story()) {
        let mut world = World::new();
        for step in story {
            let events = world.step(step);
            world.check_prices(&events)?;
        }
    }

    #[test]
    fn an_order_that_has_ended_accepts_no_business_command(story in story()) {
        let mut world = World::new();
        for step in story {
            let before = world.order.status().filter(|status| status.is_terminal());
            let events = world.step(step);
            if let Some(ended) = before {
                prop_assert!(events.iter().all(|event| may_follow(ended, event)), "{:?}", events);
                prop_assert_eq!(world.order.status(), Some(ended));
            }
        }
    }

    #[test]
    fn a_snapshot_in_the_middle_changes_nothing(story in story()) {
        let mut world = World::new();
        for step in story {
            world.step(step);
        }
        let written = serde_json::to_string(&world.order).unwrap();
        prop_assert_eq!(serde_json::from_str::<Order>(&written).unwrap(), world.order);
    }
}

#[test]
fn the_random_stories_reach_every_end_and_every_event_of_a_placed_order() {
    let mut runner = TestRunner::deterministic();
    let mut events = BTreeSet::new();
    let mut ends = BTreeSet::new();
    for _ in 0..128 {
        let mut world = World::new();
        for step in story().new_tree(&mut runner).unwrap().current() {
            events.extend(world.step(step).iter().map(OrderEvent::event_type));
        }
        ends.extend(world.order.status().map(OrderStatus::as_str));
    }
    for end in ["completed", "rejected", "cancelled", "fulfilling"] {
        assert!(ends.contains(end), "no story ended {end}: {ends:?}");
    }
    let not_told = ["DraftCreated", "LineAdded", "QuantityChanged", "LineRemoved", "OrderPlaced"];
    let told = OrderEvent::TYPES.iter().map(|event| event.name);
    for name in told.filter(|name| !not_told.contains(name) && *name != "PaymentReplaced") {
        assert!(events.contains(name), "no story told of {name}");
    }
}
