//! I6, law 3 and law 4: the units of every SKU and of every reservation.
//!
//! Stock and reservations are two accounts of the same units. They are folded apart, and compared at the end of every
//! append: nothing may be held in one and not in the other.

use std::collections::HashMap;

use domain::inventory::{ReservationEvent, SkuQuantity, StockEvent};
use domain::text::Quantity;

use crate::finding::{Report, Rule};
use crate::names::NameId;
use crate::orders::Orders;

/// The units of a SKU, by its own events.
#[derive(Debug, Default)]
struct Units {
    available: i64,
    reserved: i64,
    came: i64,
    went: i64,
    last: u64,
}

/// The units of a SKU that an order has to do with, by its reservation's events.
#[derive(Debug, Clone, Copy)]
struct Claim {
    sku: NameId,
    held: i64,
    shipped: i64,
    returned: i64,
}

/// An order's reservation.
#[derive(Debug, Default)]
struct Reservation {
    claims: Vec<Claim>,
    made_at: u64,
    /// Given back whole, or given up before it was made.
    closed_at: u64,
}

/// What an append did to the units of an order, by stock's account less by the reservation's.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Difference {
    held: i64,
    shipped: i64,
    returned: i64,
}

/// All stock and all reservations.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    units: HashMap<NameId, Units>,
    reservations: HashMap<NameId, Reservation>,
    /// Of the append that is under way.
    touched: Vec<NameId>,
    differences: HashMap<(NameId, NameId), Difference>,
    last: u64,
}

impl Stock {
    /// SKUs that ever had stock.
    pub(crate) fn skus(&self) -> usize {
        self.units.len()
    }

    /// Units that an order still holds, and units that left for it and did not come back.
    pub(crate) fn effect_of(&self, order: NameId) -> (i64, i64) {
        let claims = self.reservations.get(&order).map_or(&[][..], |found| &found.claims);
        claims.iter().fold((0, 0), |(held, gone), claim| {
            (held + claim.held, gone + claim.shipped - claim.returned)
        })
    }

    /// Units of a SKU that left the house for an order.
    pub(crate) fn shipped_of(&self, order: NameId) -> impl Iterator<Item = (NameId, i64)> + '_ {
        let claims = self.reservations.get(&order).map_or(&[][..], |found| &found.claims);
        claims.iter().filter(|claim| claim.shipped != 0).map(|claim| (claim.sku, claim.shipped))
    }

    /// An event of a SKU's stream.
    pub(crate) fn observe_stock(&mut self, at: u64, event: &StockEvent, orders: &mut Orders) {
        let sku = orders.skus.id(event.sku().as_str());
        let mut order = |id: &domain::ids::OrderId| orders.names.id(id.as_str());
        let units = self.units.entry(sku).or_default();
        units.last = at;
        self.last = at;
        self.touched.push(sku);
        let differences = &mut self.differences;
        match event {
            StockEvent::StockReceived(event) => {
                units.available += count(event.quantity);
                units.came += count(event.quantity);
            }
            StockEvent::StockAdjusted(event) => {
                units.available = units.available.saturating_add(event.delta);
                units.came = units.came.saturating_add(event.delta);
            }
            StockEvent::StockReserved(event) => {
                let n = count(event.quantity);
                units.available -= n;
                units.reserved += n;
                differences.entry((order(&event.order_id), sku)).or_default().held += n;
            }
            StockEvent::StockReleased(event) => {
                let n = count(event.quantity);
                units.available += n;
                units.reserved -= n;
                differences.entry((order(&event.order_id), sku)).or_default().held -= n;
            }
            StockEvent::StockShipped(event) => {
                let n = count(event.quantity);
                units.reserved -= n;
                units.went += n;
                let difference = differences.entry((order(&event.order_id), sku)).or_default();
                difference.held -= n;
                difference.shipped += n;
            }
            StockEvent::StockRestocked(event) => {
                let n = count(event.quantity);
                units.available += n;
                units.came += n;
                differences.entry((order(&event.order_id), sku)).or_default().returned += n;
            }
            StockEvent::StockWrittenOff(event) => {
                units.available -= count(event.quantity);
                units.went += count(event.quantity);
            }
        }
    }

    /// An event of a reservation's stream.
    pub(crate) fn observe_reservation(
        &mut self,
        at: u64,
        event: &ReservationEvent,
        orders: &mut Orders,
        report: &mut Report,
    ) {
        let name = event.order().as_str();
        let order = orders.names.id(name);
        self.last = at;
        match event {
            ReservationEvent::ReservationRefused(_) => {}
            ReservationEvent::ReservationMade(event) => {
                self.begins(at, order, name, report);
                check_asked(at, order, &event.lines, orders, report);
                self.claim(at, order, &event.lines, orders, report, |claim, n| claim.held += n);
            }
            ReservationEvent::ReservationReleased(event) => {
                self.claim(at, order, &event.lines, orders, report, |claim, n| claim.held -= n);
                let reservation = self.reservations.entry(order).or_default();
                if reservation.claims.iter().all(|claim| claim.held == 0) {
                    reservation.closed_at = at;
                }
            }
            ReservationEvent::ReservationShipped(event) => {
                self.claim(at, order, &event.lines, orders, report, |claim, n| {
                    claim.held -= n;
                    claim.shipped += n;
                });
            }
            ReservationEvent::ReturnStocked(event) => {
                orders.facts(event.order_id.as_str()).stocks_return(at, event.return_id.as_str());
                self.claim(at, order, &event.lines, orders, report, |claim, n| {
                    claim.returned += n;
                });
            }
        }
    }

    fn begins(&mut self, at: u64, order: NameId, name: &str, report: &mut Report) {
        let reservation = self.reservations.entry(order).or_default();
        if reservation.made_at > 0 {
            let positions = [at, reservation.made_at];
            let statement = format!("Order `{name}` reserved its stock twice.");
            report.at(Rule::Reservations, &positions, statement);
        }
        if reservation.closed_at > 0 {
            let positions = [at, reservation.closed_at];
            let statement =
                format!("Order `{name}` reserved stock after its reservation was given up.");
            report.at(Rule::Reservations, &positions, statement);
        }
        reservation.made_at = at;
    }

    fn claim(
        &mut self,
        at: u64,
        order: NameId,
        lines: &[SkuQuantity],
        orders: &mut Orders,
        report: &mut Report,
        change: impl Fn(&mut Claim, i64),
    ) {
        let reservation = self.reservations.entry(order).or_default();
        for line in lines {
            let sku = orders.skus.id(line.sku.as_str());
            let found = reservation.claims.iter().position(|claim| claim.sku == sku);
            let index = found.unwrap_or_else(|| {
                reservation.claims.push(Claim { sku, held: 0, shipped: 0, returned: 0 });
                reservation.claims.len() - 1
            });
            let claim = &mut reservation.claims[index];
            let before = *claim;
            change(claim, count(line.quantity));
            let difference = self.differences.entry((order, sku)).or_default();
            difference.held -= claim.held - before.held;
            difference.shipped -= claim.shipped - before.shipped;
            difference.returned -= claim.returned - before.returned;
            if claim.held < 0 || claim.returned > claim.shipped {
                let Claim { held, shipped, returned, .. } = *claim;
                report.at(
                    Rule::Reservations,
                    &[at, reservation.made_at],
                    format!(
                        "Order `{}` holds {held} of SKU `{}`, with {shipped} shipped and {returned} returned.",
                        orders.names.name(order),
                        line.sku,
                    ),
                );
            }
        }
    }

    /// The append that was under way is whole: both accounts agree, and nothing is below zero.
    pub(crate) fn end_append(&mut self, orders: &Orders, report: &mut Report) {
        self.touched.sort_unstable();
        self.touched.dedup();
        for sku in self.touched.drain(..) {
            let Some(Units { available, reserved, last, .. }) = self.units.get(&sku) else {
                continue;
            };
            if *available < 0 || *reserved < 0 {
                let name = orders.skus.name(sku);
                let statement =
                    format!("SKU `{name}` has {available} available and {reserved} reserved.");
                report.at(Rule::Stock, &[*last], statement);
            }
        }
        if self.differences.is_empty() {
            return;
        }
        let mut uneven: Vec<_> = self.differences.drain().collect();
        uneven.retain(|(_, difference)| *difference != Difference::default());
        uneven.sort_unstable_by_key(|(key, _)| *key);
        for ((order, sku), Difference { held, shipped, returned }) in uneven {
            report.at(
                Rule::Reservations,
                &[self.last],
                format!(
                    "In one append, stock `{}` and the reservation of order `{}` disagree: held by {held}, shipped by \
                     {shipped}, returned by {returned}.",
                    orders.skus.name(sku),
                    orders.names.name(order),
                ),
            );
        }
    }

    /// Law 3 over the whole log, with what is reserved taken from the reservations.
    pub(crate) fn finish(&self, orders: &Orders, report: &mut Report) {
        let mut held: HashMap<NameId, i64> = HashMap::new();
        for claim in self.reservations.values().flat_map(|reservation| &reservation.claims) {
            *held.entry(claim.sku).or_default() += claim.held;
        }
        let mut skus: Vec<_> = self.units.iter().collect();
        skus.sort_unstable_by_key(|(sku, _)| **sku);
        for (sku, Units { available, reserved, came, went, last }) in skus {
            let by_orders = held.get(sku).copied().unwrap_or_default();
            if came - went != available + by_orders || *reserved != by_orders {
                report.at(
                    Rule::Stock,
                    &[*last],
                    format!(
                        "SKU `{}`: {came} came and {went} went, but {available} are available and {reserved} reserved; \
                         orders hold {by_orders}.",
                        orders.skus.name(*sku),
                    ),
                );
            }
        }
    }
}

/// What is reserved is what the order's lines need.
fn check_asked(
    at: u64,
    order: NameId,
    lines: &[SkuQuantity],
    orders: &mut Orders,
    report: &mut Report,
) {
    let mut made = std::collections::BTreeMap::new();
    for line in lines {
        let sku = orders.skus.id(line.sku.as_str());
        *made.entry(sku).or_default() += u64::from(line.quantity.get());
    }
    let (asked, since) = orders
        .get(order)
        .map_or_else(Default::default, |facts| (facts.lines.stocked(), facts.since));
    if made != asked {
        let (made, asked): (u64, u64) = (made.values().sum(), asked.values().sum());
        let name = orders.names.name(order);
        report.at(
            Rule::Reservations,
            &[at, since],
            format!(
                "Order `{name}` reserved {made} units that are not the {asked} units that its lines need.",
            ),
        );
    }
}

fn count(quantity: Quantity) -> i64 {
    i64::from(quantity.get())
}
