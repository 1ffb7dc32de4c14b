//! Law 1 and law 7: what becomes of an order's lines, and in which order an order goes through its states.

mod lines;
mod states;

use std::collections::HashMap;

use domain::money::Currency;
use domain::orders::OrderPlaced;
use domain::shipping::ShipmentEvent;

use crate::finding::{Report, Rule};
use crate::names::{NameId, Names};

pub(crate) use lines::Lines;
pub(crate) use states::Status;

/// A parcel of an order.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) id: Box<str>,
    /// Hash of what left the house.
    fingerprint: u64,
    /// Σ quantity × unit price of what left, minor units.
    pub(crate) amount: i64,
    /// When it left; 0 when it has not.
    pub(crate) left_at: u64,
    /// Whether the order knows that it left.
    pub(crate) recorded: bool,
    delivered: bool,
}

/// A cancellation or a return: lines that were asked for, and settled once.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: Box<str>,
    fingerprint: u64,
    /// Σ quantity × unit price, known when it is settled.
    pub(crate) amount: Option<i64>,
    /// When it was asked for.
    pub(crate) at: u64,
    /// When it was settled; 0 when it was not.
    pub(crate) settled_at: u64,
    /// Settled with none of what was asked for.
    pub(crate) declined: bool,
    /// Whether any of its lines is kept in stock.
    pub(crate) has_stock: bool,
    /// When its units were put back or written off; 0 when they were not.
    pub(crate) stocked_at: u64,
}

/// What the checker keeps of an order.
#[derive(Debug, Default)]
pub(crate) struct OrderFacts {
    pub(crate) status: Status,
    held: bool,
    /// When it was placed; 0 when it never was.
    pub(crate) placed_at: u64,
    pub(crate) was_confirmed: bool,
    pub(crate) currency: Option<Currency>,
    pub(crate) lines: Lines,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) cancellations: Vec<Asked>,
    pub(crate) returns: Vec<Asked>,
    /// The position of the event that brought it where it is.
    pub(crate) since: u64,
}

impl OrderFacts {
    /// A parcel that left the house.
    pub(crate) fn left(&self, id: &str) -> Option<&Parcel> {
        self.parcels.iter().find(|parcel| *parcel.id == *id && parcel.left_at > 0)
    }

    /// What the lines of a return cost that was received; none for any other.
    pub(crate) fn returned_amount(&self, id: &str) -> Option<i64> {
        self.returns.iter().find(|returned| *returned.id == *id)?.amount
    }

    /// Units of a return were put back or written off.
    pub(crate) fn stocks_return(&mut self, at: u64, id: &str) {
        if let Some(returned) = self.returns.iter_mut().find(|returned| *returned.id == *id) {
            returned.stocked_at = at;
        }
    }

    fn parcel_mut(&mut self, id: &str) -> &mut Parcel {
        let index = self.parcels.iter().position(|parcel| *parcel.id == *id);
        let index = index.unwrap_or_else(|| {
            self.parcels.push(Parcel {
                id: id.into(),
                fingerprint: 0,
                amount: 0,
                left_at: 0,
                recorded: false,
                delivered: false,
            });
            self.parcels.len() - 1
        });
        &mut self.parcels[index]
    }
}

/// All orders.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) names: Names,
    pub(crate) skus: Names,
    facts: HashMap<NameId, OrderFacts>,
}

impl Orders {
    /// Orders that were placed.
    pub(crate) fn placed(&self) -> u64 {
        let placed = |order: &&OrderFacts| !matches!(order.status, Status::Absent | Status::Draft);
        self.facts.values().filter(placed).count() as u64
    }

    pub(crate) fn get(&self, order: NameId) -> Option<&OrderFacts> {
        self.facts.get(&order)
    }

    pub(crate) fn find(&self, order: &str) -> Option<&OrderFacts> {
        self.facts.get(&self.names.find(order)?)
    }

    /// Every order, by number: always in the same order, so that two reports of one log are equal.
    pub(crate) fn all(&self) -> Vec<(NameId, &OrderFacts)> {
        let mut all: Vec<_> = self.facts.iter().map(|(id, facts)| (*id, facts)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    pub(crate) fn facts(&mut self, order: &str) -> &mut OrderFacts {
        let id = self.names.id(order);
        self.facts.entry(id).or_default()
    }

    fn place(&mut self, event: &OrderPlaced) {
        let lines = Lines::placed(&event.lines, &mut self.skus);
        let order = self.facts(event.order_id.as_str());
        order.currency = Some(event.currency);
        order.lines = lines;
    }

    /// A parcel left: from here on the order has something unsettled, until it is recorded.
    pub(crate) fn observe_shipment(&mut self, at: u64, event: &ShipmentEvent, report: &mut Report) {
        match event {
            ShipmentEvent::ShipmentCreated(_)
            | ShipmentEvent::ShipmentSplit(_)
            | ShipmentEvent::ShipmentDelivered(_)
            | ShipmentEvent::ShipmentCancelled(_)
            | ShipmentEvent::ShipmentCancellationRefused(_) => {}
            ShipmentEvent::ShipmentShipped(event) => {
                let order = self.facts(event.order_id.as_str());
                let pairs = || event.lines.iter().map(|line| (line.line, line.quantity));
                let (fingerprint, amount) =
                    (lines::fingerprint(pairs()), order.lines.amount(pairs()));
                let confirmed = order.status == Status::Confirmed;
                let parcel = order.parcel_mut(event.shipment_id.as_str());
                let before = parcel.left_at;
                (parcel.fingerprint, parcel.amount, parcel.left_at) = (fingerprint, amount, at);
                if before > 0 {
                    report.at(
                        Rule::Lines,
                        &[at, before],
                        format!("Shipment `{}` left the house twice.", event.shipment_id),
                    );
                }
                if !confirmed {
                    report.at(
                        Rule::States,
                        &[at],
                        format!(
                            "Shipment `{}` left the house while order `{}` was not to be carried out.",
                            event.shipment_id, event.order_id,
                        ),
                    );
                }
            }
        }
    }
}
