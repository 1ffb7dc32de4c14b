//! The payments of an order, as its sagas know them from the log.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::{PaymentId, ShipmentId};
use crate::orders::OrderEvent;
use crate::payments::{PaymentEvent, PaymentSettledByHand, Unmet};

/// The payments of an order: the one that captures come from, and what each has left to give back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Purse {
    pub(super) current: PaymentId,
    /// Captured and not refunded, per payment.
    captured: BTreeMap<PaymentId, i64>,
    /// Σ captured over all payments, refunds not taken off.
    pub(super) taken: i64,
    /// Until when the provider holds what it holds, per payment.
    until: BTreeMap<PaymentId, DateTime<Utc>>,
    /// What the provider holds, per payment: neither captured nor given back.
    #[serde(default)]
    held: BTreeMap<PaymentId, i64>,
    /// Payments that the provider captures from only once.
    #[serde(default)]
    once: BTreeSet<PaymentId>,
    /// What a person settled by hand because the provider did not take it, per shipment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settled: BTreeMap<ShipmentId, i64>,
}

impl Purse {
    pub(super) fn new(current: PaymentId) -> Self {
        Self {
            current,
            captured: BTreeMap::new(),
            taken: 0,
            until: BTreeMap::new(),
            held: BTreeMap::new(),
            once: BTreeSet::new(),
            settled: BTreeMap::new(),
        }
    }

    pub(super) fn fold(&mut self, event: &Event) {
        if let Event::Order(OrderEvent::PaymentReplaced(event)) = event {
            self.current = event.payment_id.clone();
        }
        if let Event::Payment(event) = event {
            self.fold_payment(event);
        }
    }

    fn fold_payment(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentAuthorized(event) => {
                self.until.insert(event.payment_id.clone(), event.expires_at);
                self.held.insert(event.payment_id.clone(), event.amount.minor());
                if !event.multi_capture {
                    self.once.insert(event.payment_id.clone());
                }
            }
            PaymentEvent::PaymentCaptured(event) => {
                let amount = event.amount.minor();
                *self.captured.entry(event.payment_id.clone()).or_default() += amount;
                self.taken += amount;
                self.release(&event.payment_id, amount);
            }
            PaymentEvent::PaymentRefunded(event) => {
                *self.captured.entry(event.payment_id.clone()).or_default() -= event.amount.minor();
            }
            PaymentEvent::AuthorizationVoided(event) => {
                self.release(&event.payment_id, event.amount.minor());
            }
            PaymentEvent::AuthorizationExpired(event) => self.let_go(&event.payment_id),
            PaymentEvent::PaymentSettledByHand(event) => self.settle(event),
            PaymentEvent::PaymentRequested(_)
            | PaymentEvent::PaymentDeclined(_)
            | PaymentEvent::PaymentOutcomeUnknown(_)
            | PaymentEvent::CaptureRequested(_)
            | PaymentEvent::CaptureFailed(_)
            | PaymentEvent::VoidRequested(_)
            | PaymentEvent::VoidRefused(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundFailed(_) => {}
        }
    }

    fn settle(&mut self, event: &PaymentSettledByHand) {
        match &event.unmet {
            Unmet::Capture { shipment_id } => {
                self.settled.insert(shipment_id.clone(), event.amount.minor());
            }
            Unmet::Void { .. } => self.release(&event.payment_id, event.amount.minor()),
            // The provider still has what it took.
            Unmet::Refund { .. } => {}
        }
    }

    /// Whether a person settled by hand what this shipment costs.
    pub(super) fn is_settled(&self, shipment_id: &ShipmentId) -> bool {
        self.settled.contains_key(shipment_id)
    }

    /// Whether a part of the order was paid by hand, or not at all: a person has to say how a return is paid back.
    pub(super) fn is_settled_in_part(&self) -> bool {
        !self.settled.is_empty()
    }

    /// Σ captured and settled by hand over all payments, refunds not taken off.
    pub(super) fn paid(&self) -> i64 {
        self.taken + self.settled.values().sum::<i64>()
    }

    /// Whether the provider has anything left that it could give back.
    pub(super) fn can_refund(&self) -> bool {
        self.captured.values().any(|left| *left > 0)
    }

    fn release(&mut self, payment_id: &PaymentId, amount: i64) {
        if let Some(held) = self.held.get_mut(payment_id) {
            *held -= amount;
        }
    }

    /// The provider holds nothing of this payment any more.
    pub(super) fn let_go(&mut self, payment_id: &PaymentId) {
        self.held.remove(payment_id);
    }

    /// The payment that the provider lets go of first, and when; none when it holds nothing.
    pub(super) fn first_expiry(&self) -> Option<(&PaymentId, DateTime<Utc>)> {
        let holding = self
            .until
            .iter()
            .filter(|(payment_id, _)| self.held.get(*payment_id).is_some_and(|held| *held > 0));
        holding.map(|(payment_id, until)| (payment_id, *until)).min_by_key(|(_, until)| *until)
    }

    /// True when nothing more can be captured from the current payment: the provider takes once, and did.
    pub(super) fn is_spent(&self) -> bool {
        self.once.contains(&self.current) && self.captured.contains_key(&self.current)
    }

    /// Until when the provider holds what captures come from.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.until.get(&self.current).copied()
    }

    /// A payment that can give back a part of `amount`, and how much.
    pub(super) fn refundable(&self, amount: i64) -> (PaymentId, i64) {
        let whole = self.captured.iter().find(|(_, left)| **left >= amount);
        let part = || self.captured.iter().max_by_key(|(_, left)| **left);
        match whole.or_else(part) {
            Some((payment_id, left)) if *left > 0 => (payment_id.clone(), amount.min(*left)),
            Some(_) | None => (self.current.clone(), amount),
        }
    }
}
