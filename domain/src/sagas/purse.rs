//! The payments of an order, as its sagas know them from the log.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::ids::PaymentId;
use crate::orders::OrderEvent;
use crate::payments::PaymentEvent;

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
}

impl Purse {
    pub(super) fn new(current: PaymentId) -> Self {
        Self { current, captured: BTreeMap::new(), taken: 0, until: BTreeMap::new() }
    }

    pub(super) fn fold(&mut self, event: &Event) {
        if let Event::Order(OrderEvent::PaymentReplaced(event)) = event {
            self.current = event.payment_id.clone();
        }
        if let Event::Payment(PaymentEvent::PaymentAuthorized(event)) = event {
            self.until.insert(event.payment_id.clone(), event.expires_at);
        }
        if let Event::Payment(PaymentEvent::PaymentCaptured(event)) = event {
            *self.captured.entry(event.payment_id.clone()).or_default() += event.amount.minor();
            self.taken += event.amount.minor();
        }
        if let Event::Payment(PaymentEvent::PaymentRefunded(event)) = event {
            *self.captured.entry(event.payment_id.clone()).or_default() -= event.amount.minor();
        }
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
