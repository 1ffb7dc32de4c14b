//! What a decision needs to know of a payment: what the provider holds, took and gave back, and what it was asked.
//!
//! **Invariant:** `authorized ≥ captured + voided` and `captured ≥ refunded`; one operation is open at a time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AuthorizationVoided, Operation, PaymentEvent, PaymentSettledByHand, PaymentStatus, Unmet,
};
use crate::decide::Aggregate;
use crate::ids::{CancellationId, OrderId, PaymentId, ReturnId, ShipmentId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text::{PaymentMethod, ProviderReference, Reason};

/// What the provider was asked and has not answered for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOperation {
    /// What was asked.
    pub operation: Operation,
    /// Counted from 1 over all operations of this kind of the payment.
    pub attempt: u32,
    /// How much it is about.
    pub amount: Money,
    /// The shipment that a capture pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// The return that a refund pays back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<ReturnId>,
    /// The cancellation that a void is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
    /// True when the provider did not answer in time, or said that it did something else.
    #[serde(default)]
    pub unknown: bool,
    /// What it said it did instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Money>,
}

impl OpenOperation {
    /// The provider's idempotency key: stable for this attempt, never used for another.
    pub fn provider_key(&self, payment_id: &PaymentId) -> String {
        format!("{payment_id}/{}/{}", self.operation.name(), self.attempt)
    }
}

/// What a decision needs to know of a payment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    order_id: Option<OrderId>,
    method: Option<PaymentMethod>,
    requested: Option<Money>,
    authorized: i64,
    captured: i64,
    refunded: i64,
    voided: i64,
    expires_at: Option<DateTime<Utc>>,
    multi_capture: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<ProviderReference>,
    expired: bool,
    declined: Option<Reason>,
    tombstone: bool,
    open: Option<Box<OpenOperation>>,
    attempts: BTreeMap<Operation, u32>,
    captured_for: BTreeSet<ShipmentId>,
    refunded_for: BTreeSet<ReturnId>,
    /// What a person settled of what the provider did not take, per shipment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settled_for: BTreeMap<ShipmentId, i64>,
    /// Returns whose money a person gave back, or need not be given back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    returns_settled: BTreeSet<ReturnId>,
    /// Cancellations for which something was given back: each only once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    voided_for: BTreeSet<CancellationId>,
}

impl Payment {
    /// The order that it pays; `None` when there is no such payment.
    pub fn order_id(&self) -> Option<&OrderId> {
        self.order_id.as_ref()
    }

    /// How it is paid.
    pub fn method(&self) -> Option<&PaymentMethod> {
        self.method.as_ref()
    }

    /// What the provider was asked to hold.
    pub fn requested(&self) -> Option<Money> {
        self.requested
    }

    /// What the provider ever held, in minor units.
    pub fn authorized(&self) -> i64 {
        self.authorized
    }

    /// What it took.
    pub fn captured(&self) -> i64 {
        self.captured
    }

    /// What it gave back of what it took.
    pub fn refunded(&self) -> i64 {
        self.refunded
    }

    /// What a person settled by hand of what it did not take.
    pub fn settled_by_hand(&self) -> i64 {
        self.settled_for.values().sum()
    }

    /// What it holds no more without having taken it, or need not hold for us any more.
    pub fn voided(&self) -> i64 {
        self.voided
    }

    /// What it still holds: authorized, neither captured nor voided.
    pub fn uncaptured(&self) -> i64 {
        self.authorized.saturating_sub(self.captured).saturating_sub(self.voided)
    }

    /// Until when the provider holds it.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// Whether the provider can take from it more than once.
    pub fn multi_capture(&self) -> bool {
        self.multi_capture
    }

    /// What the provider calls it, if it has a name of its own for it.
    pub fn reference(&self) -> Option<&ProviderReference> {
        self.reference.as_ref()
    }

    /// True when nothing more can be captured from it: the provider takes once, and did.
    pub fn is_spent(&self) -> bool {
        !self.multi_capture && self.captured > 0
    }

    /// True when the provider holds money at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.uncaptured() > 0 && self.expires_at.is_some_and(|until| now < until)
    }

    /// True when the provider was asked something and its answer is not known.
    pub fn has_open_operation(&self) -> bool {
        self.open.is_some()
    }

    /// What the provider was asked and has not answered for good.
    pub fn open_operation(&self) -> Option<&OpenOperation> {
        self.open.as_deref()
    }

    /// Where it stands, for people.
    pub fn status(&self) -> PaymentStatus {
        let asks_to_hold = |open: &OpenOperation| open.operation == Operation::Authorize;
        match self.open.as_deref() {
            Some(open) if open.unknown => PaymentStatus::Unknown,
            Some(open) if asks_to_hold(open) => PaymentStatus::Requested,
            _ if self.declined.is_some() => PaymentStatus::Declined,
            _ if self.captured > 0 && self.refunded == self.captured => PaymentStatus::Refunded,
            _ if self.captured > 0 => PaymentStatus::Captured,
            _ if self.uncaptured() > 0 => PaymentStatus::Authorized,
            _ if !self.settled_for.is_empty() => PaymentStatus::SettledByHand,
            _ if self.expired => PaymentStatus::Expired,
            _ if self.tombstone || self.voided > 0 => PaymentStatus::Voided,
            _ => PaymentStatus::None,
        }
    }

    /// Why the provider refused to hold the amount, if it did.
    pub(super) fn declined(&self) -> Option<&Reason> {
        self.declined.as_ref()
    }

    /// Refuses a command that speaks of another order or currency than the payment's.
    pub(super) fn check_order(
        &self,
        payment_id: &PaymentId,
        order_id: &OrderId,
        amount: impl Into<Option<Money>>,
    ) -> Result<(), Refusal> {
        if self.order_id() != Some(order_id) {
            return Err(Refusal::PaymentNotFound { payment_id: payment_id.clone() });
        }
        match (self.requested, amount.into()) {
            (Some(requested), Some(amount)) if requested.currency() != amount.currency() => {
                let (expected, found) = (requested.currency(), amount.currency());
                Err(Refusal::MixedCurrencies { expected, found })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.tombstone
    }

    pub(super) fn next_attempt(&self, operation: Operation) -> u32 {
        self.attempts.get(&operation).copied().unwrap_or_default().saturating_add(1)
    }

    /// Whether nothing is to be taken for the shipment any more: the provider did, or a person settled it.
    pub(crate) fn is_paid_for(&self, shipment_id: &ShipmentId) -> bool {
        self.captured_for.contains(shipment_id) || self.settled_for.contains_key(shipment_id)
    }

    /// Whether nothing is to be given back for the return any more.
    pub(super) fn is_refunded_for(&self, return_id: &ReturnId) -> bool {
        self.refunded_for.contains(return_id) || self.is_return_settled(return_id)
    }

    /// Whether a person settled the return.
    pub(super) fn is_return_settled(&self, return_id: &ReturnId) -> bool {
        self.returns_settled.contains(return_id)
    }

    pub(super) fn is_voided_for(&self, cancellation_id: &CancellationId) -> bool {
        self.voided_for.contains(cancellation_id)
    }

    fn asked(&mut self, open: OpenOperation) {
        self.attempts.insert(open.operation, open.attempt);
        self.open = Some(Box::new(open));
    }

    fn gave_back(&mut self, event: &AuthorizationVoided) {
        self.order_id = Some(event.order_id.clone());
        self.voided = self.voided.saturating_add(event.amount.minor());
        self.tombstone |= event.amount.is_zero();
        self.voided_for.extend(event.cancellation_id.clone());
        self.answered(Operation::Void);
    }

    fn settled(&mut self, event: &PaymentSettledByHand) {
        let amount = event.amount.minor();
        match &event.unmet {
            Unmet::Capture { shipment_id } => {
                self.settled_for.insert(shipment_id.clone(), amount);
            }
            Unmet::Void { cancellation_id } => {
                self.voided = self.voided.saturating_add(amount);
                self.voided_for.extend(cancellation_id.clone());
            }
            Unmet::Refund { return_id } => {
                self.returns_settled.insert(return_id.clone());
            }
        }
    }

    fn declined_for(&mut self, code: &Reason) {
        if !self.tombstone {
            self.declined = Some(code.clone());
        }
        self.answered(Operation::Authorize);
    }

    fn answered(&mut self, operation: Operation) {
        self.open.take_if(|open| open.operation == operation);
    }
}

impl Aggregate for Payment {
    type Event = PaymentEvent;

    fn evolve(mut self, event: &PaymentEvent) -> Self {
        let open = |operation, attempt, amount| OpenOperation {
            operation,
            attempt,
            amount,
            shipment_id: None,
            return_id: None,
            cancellation_id: None,
            unknown: false,
            found: None,
        };
        match event {
            PaymentEvent::PaymentRequested(event) => {
                self.order_id = Some(event.order_id.clone());
                self.method = Some(event.method.clone());
                self.requested = Some(event.amount);
                self.asked(open(Operation::Authorize, event.attempt, event.amount));
            }
            PaymentEvent::PaymentAuthorized(event) => {
                self.authorized = self.authorized.saturating_add(event.amount.minor());
                self.expires_at = Some(event.expires_at);
                self.multi_capture = event.multi_capture;
                self.reference.clone_from(&event.reference);
                self.answered(Operation::Authorize);
            }
            PaymentEvent::PaymentDeclined(event) => {
                self.order_id = Some(event.order_id.clone());
                self.declined_for(&event.code);
            }
            PaymentEvent::PaymentOutcomeUnknown(event) => {
                let asked = |open: &&mut OpenOperation| open.operation == event.operation;
                if let Some(open) = self.open.as_deref_mut().filter(asked) {
                    open.unknown = true;
                    open.found = event.found.or(open.found);
                }
            }
            PaymentEvent::CaptureRequested(event) => self.asked(OpenOperation {
                shipment_id: Some(event.shipment_id.clone()),
                ..open(Operation::Capture, event.attempt, event.amount)
            }),
            PaymentEvent::PaymentCaptured(event) => {
                self.captured = self.captured.saturating_add(event.amount.minor());
                self.captured_for.insert(event.shipment_id.clone());
                self.answered(Operation::Capture);
            }
            PaymentEvent::CaptureFailed(_) => self.answered(Operation::Capture),
            PaymentEvent::VoidRequested(event) => self.asked(OpenOperation {
                cancellation_id: event.cancellation_id.clone(),
                ..open(Operation::Void, event.attempt, event.amount)
            }),
            PaymentEvent::AuthorizationVoided(event) => self.gave_back(event),
            PaymentEvent::VoidRefused(_) => self.answered(Operation::Void),
            PaymentEvent::RefundRequested(event) => self.asked(OpenOperation {
                return_id: Some(event.return_id.clone()),
                ..open(Operation::Refund, event.attempt, event.amount)
            }),
            PaymentEvent::PaymentRefunded(event) => {
                self.refunded = self.refunded.saturating_add(event.amount.minor());
                self.refunded_for.insert(event.return_id.clone());
                self.answered(Operation::Refund);
            }
            PaymentEvent::RefundFailed(_) => self.answered(Operation::Refund),
            PaymentEvent::AuthorizationExpired(event) => {
                self.voided = self.voided.saturating_add(event.amount.minor());
                self.expired = true;
            }
            PaymentEvent::PaymentSettledByHand(event) => self.settled(event),
        }
        self
    }
}
