//! What the order saga knows of its order, folded from the log.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::parcels::{Parcel, Parcels, Place};
use super::purse::Purse;
use super::renewal::Renewal;
use super::{EventContext, SagaState};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId, PaymentId, ShipmentId};
use crate::inventory::SkuQuantity;
use crate::money::{Currency, Money};
use crate::orders::{LineNumber, LineQuantity, OrderEvent, OrderPlaced, PlacedLine};
use crate::text::{PaymentMethod, Quantity, Reason};

/// How an order ends that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    /// A step was refused, or the deadline passed.
    Rejected,
    /// Someone cancelled it before the pivot.
    Cancelled,
}

/// What the order saga knows of its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OrderFacts {
    pub(super) order_id: OrderId,
    pub(super) currency: Currency,
    pub(super) method: PaymentMethod,
    pub(super) total: i64,
    pub(super) lines: Vec<PlacedLine>,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) purse: Purse,
    pub(super) parcels: Parcels,
    pub(super) units: u64,
    pub(super) delivered: u64,
    pub(super) cancelled: u64,
    pub(super) confirmed: bool,
    pub(super) held_since: Option<DateTime<Utc>>,
    pub(super) cancellations: BTreeSet<CancellationId>,
    pub(super) rejecting: Option<Reason>,
    pub(super) ending: Option<Ending>,
    pub(super) over: Option<SagaState>,
    /// What the cancelled lines cost.
    pub(super) cancelled_amount: i64,
    /// Payments that were asked for so far.
    pub(super) payments: u32,
    pub(super) renewal: Option<Renewal>,
    /// The payment that is being let go of because its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expiring: Option<PaymentId>,
}

impl OrderFacts {
    pub(super) fn new(placed: &OrderPlaced, context: &EventContext<'_>) -> Self {
        let units = placed.lines.iter().map(|line| u64::from(line.quantity.get())).sum();
        Self {
            order_id: placed.order_id.clone(),
            currency: placed.currency,
            method: placed.payment_method.clone(),
            total: placed.total,
            lines: placed.lines.clone(),
            occurred_at: context.occurred_at,
            purse: Purse::new(PaymentId::nth(&placed.order_id, 1)),
            parcels: Parcels::default(),
            units,
            delivered: 0,
            cancelled: 0,
            confirmed: false,
            held_since: None,
            cancellations: BTreeSet::new(),
            rejecting: None,
            ending: None,
            over: None,
            cancelled_amount: 0,
            payments: 1,
            renewal: None,
            expiring: None,
        }
    }

    pub(super) fn fold(&mut self, event: &Event, context: &EventContext<'_>) {
        self.purse.fold(event);
        if let Event::Shipment(event) = event {
            self.parcels.fold(event, context);
        }
        if let Event::Order(event) = event {
            self.fold_order(event, context);
        }
    }

    fn fold_order(&mut self, event: &OrderEvent, context: &EventContext<'_>) {
        match event {
            OrderEvent::OrderConfirmed(_) => self.confirmed = true,
            OrderEvent::RejectionStarted(_) => {
                self.ending.get_or_insert(Ending::Rejected);
            }
            OrderEvent::OrderHeld(_) => self.held_since = Some(context.recorded_at),
            OrderEvent::HoldReleased(_) => self.held_since = None,
            OrderEvent::CancellationRequested(event) => match &event.cancellation_id {
                Some(cancellation_id) => {
                    self.cancellations.insert(cancellation_id.clone());
                }
                None => {
                    self.ending.get_or_insert(Ending::Cancelled);
                }
            },
            OrderEvent::CancellationDeclined(event) => {
                self.cancellations.remove(&event.cancellation_id);
            }
            OrderEvent::LinesCancelled(event) => {
                self.cancellations.remove(&event.cancellation_id);
                self.cancelled += units(&event.lines);
                self.cancelled_amount += event.amount;
                self.occurred_at = context.occurred_at;
            }
            OrderEvent::LinesDelivered(event) => {
                self.delivered += units(&event.lines);
                self.occurred_at = context.occurred_at;
            }
            OrderEvent::OrderRejected(_) => self.over = Some(SagaState::Compensated),
            OrderEvent::OrderCancelled(_) => {
                let undone = self.ending.is_some();
                let state = if undone { SagaState::Compensated } else { SagaState::Completed };
                self.over = Some(state);
            }
            OrderEvent::OrderCompleted(_) => self.over = Some(SagaState::Completed),
            OrderEvent::DraftCreated(_)
            | OrderEvent::LineAdded(_)
            | OrderEvent::QuantityChanged(_)
            | OrderEvent::LineRemoved(_)
            | OrderEvent::OrderPlaced(_)
            | OrderEvent::PaymentReplaced(_)
            | OrderEvent::LinesShipped(_)
            | OrderEvent::ReturnRequested(_)
            | OrderEvent::ReturnReceived(_)
            | OrderEvent::OrderErased(_) => {}
        }
    }

    pub(super) fn first_payment(&self) -> PaymentId {
        PaymentId::nth(&self.order_id, 1)
    }

    /// The payment of a renewal under way; every renewal names its commands by its own.
    pub(super) fn further_payment(&self) -> Option<PaymentId> {
        self.renewal.as_ref().map(|renewal| PaymentId::nth(&self.order_id, renewal.nth))
    }

    /// The same, unless it was refused.
    pub(super) fn running_renewal(&self) -> Option<PaymentId> {
        let refused = self.renewal.as_ref().is_some_and(|renewal| renewal.refused);
        self.further_payment().filter(|_| !refused)
    }

    pub(super) fn first_shipment(&self) -> ShipmentId {
        ShipmentId::nth(&self.order_id, 1)
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What of these units is kept in stock, summed per SKU in the order of the lines.
    pub(super) fn stock(
        &self,
        units: impl IntoIterator<Item = (LineNumber, u32)>,
    ) -> Vec<SkuQuantity> {
        let mut stock: Vec<SkuQuantity> = vec![];
        for (number, units) in units {
            let Some(line) = self.line(number).filter(|line| line.stocked) else { continue };
            let Ok(quantity) = Quantity::new(units) else { continue };
            match stock.iter_mut().find(|held| held.sku == line.sku) {
                Some(held) => {
                    held.quantity = held.quantity.checked_add(quantity).unwrap_or(quantity);
                }
                None => stock.push(SkuQuantity { sku: line.sku.clone(), quantity }),
            }
        }
        stock
    }

    /// The price of these units.
    pub(super) fn amount(&self, units: impl IntoIterator<Item = (LineNumber, u32)>) -> i64 {
        let price = |(number, units)| {
            let unit_price = self.line(number).map_or(0, |line| line.unit_price);
            unit_price.saturating_mul(i64::from(units))
        };
        units.into_iter().map(price).fold(0, i64::saturating_add)
    }

    fn line(&self, number: LineNumber) -> Option<&PlacedLine> {
        let at = self.lines.binary_search_by_key(&number, |line| line.line).ok()?;
        self.lines.get(at)
    }

    /// What is still to be captured: neither taken nor settled by hand.
    pub(super) fn uncaptured(&self) -> i64 {
        self.total - self.cancelled_amount - self.purse.paid()
    }

    /// What the order waits for when no step is due; `None` when everything is delivered or cancelled.
    pub(super) fn open_parcels(&self) -> Option<Cow<'static, str>> {
        let parcel_at = |place| {
            let there = |parcel: &Parcel| parcel.place == place && !parcel.units.is_empty();
            self.parcels.0.iter().find(|(_, parcel)| there(parcel)).map(|(id, _)| id)
        };
        if self.cancelled == self.units || !self.cancellations.is_empty() {
            Some("a cancellation to end".into())
        } else if self.delivered + self.cancelled == self.units {
            None
        } else if let Some(here) = parcel_at(Place::Here) {
            Some(format!("parcel {here} to be shipped").into())
        } else if let Some(shipped) = parcel_at(Place::Shipped) {
            Some(format!("parcel {shipped} to arrive").into())
        } else {
            Some("a parcel to arrive".into())
        }
    }
}

/// Units of these lines.
pub(super) fn units(lines: &[LineQuantity]) -> u64 {
    lines.iter().map(|line| u64::from(line.quantity.get())).sum()
}

/// Lines as pairs of number and units.
pub(super) fn pairs(lines: &[LineQuantity]) -> impl Iterator<Item = (LineNumber, u32)> {
    lines.iter().map(|line| (line.line, line.quantity.get()))
}
