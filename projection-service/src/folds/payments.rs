//! Payments: what the provider was asked, holds, took and gave back.

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PaymentId};
use domain::money::Currency;
use domain::payments::{Operation, PaymentEvent, PaymentStatus, Unmet};
use serde::{Deserialize, Serialize};

use super::Seen;

/// A payment. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRow {
    /// The payment.
    pub id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// The currency; unknown while nothing was asked.
    pub currency: Option<Currency>,
    /// How it is paid.
    pub method: Option<String>,
    /// What was to be held.
    pub requested: i64,
    /// What was ever held.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back of what was held.
    pub voided: i64,
    /// What was given back of what was taken.
    pub refunded: i64,
    /// What a person settled by hand of what was not taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settled_by_hand: i64,
    /// What a person settled by hand of what was not given back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunded_by_hand: i64,
    /// Until when the provider holds it.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why the provider refused last.
    pub code: Option<String>,
    /// What was asked and is not answered for good; true when the answer did not come in time.
    pub open: Option<(Operation, bool)>,
    /// True when the provider refused to hold anything.
    pub declined: bool,
    /// True when the provider gave up holding what was left.
    pub expired: bool,
    /// True when it was given up before anything was held.
    pub given_up: bool,
    /// The version of its stream.
    pub version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

impl PaymentRow {
    fn new(event: &PaymentEvent, order_id: OrderId) -> Self {
        Self {
            id: event.payment_id().clone(),
            order_id,
            currency: None,
            method: None,
            requested: 0,
            authorized: 0,
            captured: 0,
            voided: 0,
            refunded: 0,
            settled_by_hand: 0,
            refunded_by_hand: 0,
            expires_at: None,
            code: None,
            open: None,
            declined: false,
            expired: false,
            given_up: false,
            version: 0,
        }
    }

    /// Where it stands.
    pub fn status(&self) -> PaymentStatus {
        match self.open {
            Some((_, true)) => PaymentStatus::Unknown,
            Some((Operation::Authorize, false)) => PaymentStatus::Requested,
            _ if self.declined => PaymentStatus::Declined,
            _ if self.captured > 0 && self.refunded == self.captured => PaymentStatus::Refunded,
            _ if self.captured > 0 => PaymentStatus::Captured,
            _ if self.authorized > self.voided => PaymentStatus::Authorized,
            _ if self.settled_by_hand > 0 => PaymentStatus::SettledByHand,
            _ if self.expired => PaymentStatus::Expired,
            _ if self.given_up || self.voided > 0 => PaymentStatus::Voided,
            _ => PaymentStatus::None,
        }
    }

    fn answered(&mut self, operation: Operation) {
        self.open.take_if(|open| open.0 == operation);
    }

    fn failed(&mut self, operation: Operation, code: &str) {
        self.code = Some(code.to_owned());
        self.answered(operation);
    }
}

/// Folds an event of a payment.
pub fn fold(
    row: Option<PaymentRow>,
    event: &PaymentEvent,
    order_id: &OrderId,
    seen: Seen,
) -> PaymentRow {
    let mut row = row.unwrap_or_else(|| PaymentRow::new(event, order_id.clone()));
    match event {
        PaymentEvent::PaymentRequested(event) => {
            row.currency = Some(event.amount.currency());
            row.method = Some(event.method.as_str().to_owned());
            row.requested = event.amount.minor();
            row.open = Some((Operation::Authorize, false));
        }
        PaymentEvent::PaymentAuthorized(event) => {
            row.currency = Some(event.amount.currency());
            row.authorized = row.authorized.saturating_add(event.amount.minor());
            row.expires_at = Some(event.expires_at);
            row.answered(Operation::Authorize);
        }
        PaymentEvent::PaymentDeclined(event) => {
            row.declined = !row.given_up;
            row.failed(Operation::Authorize, event.code.as_str());
        }
        PaymentEvent::PaymentOutcomeUnknown(event) => row.open = Some((event.operation, true)),
        PaymentEvent::CaptureRequested(_) => row.open = Some((Operation::Capture, false)),
        PaymentEvent::PaymentCaptured(event) => {
            row.captured = row.captured.saturating_add(event.amount.minor());
            row.answered(Operation::Capture);
        }
        PaymentEvent::CaptureFailed(event) => row.failed(Operation::Capture, event.code.as_str()),
        PaymentEvent::VoidRequested(_) => row.open = Some((Operation::Void, false)),
        PaymentEvent::AuthorizationVoided(event) => {
            row.voided = row.voided.saturating_add(event.amount.minor());
            row.given_up |= event.amount.is_zero();
            row.answered(Operation::Void);
        }
        PaymentEvent::VoidRefused(event) => row.failed(Operation::Void, event.code.as_str()),
        PaymentEvent::RefundRequested(_) => row.open = Some((Operation::Refund, false)),
        PaymentEvent::PaymentRefunded(event) => {
            row.refunded = row.refunded.saturating_add(event.amount.minor());
            row.answered(Operation::Refund);
        }
        PaymentEvent::RefundFailed(event) => row.failed(Operation::Refund, event.code.as_str()),
        PaymentEvent::AuthorizationExpired(event) => {
            row.voided = row.voided.saturating_add(event.amount.minor());
            row.expired = true;
        }
        PaymentEvent::PaymentSettledByHand(event) => {
            let settled = match &event.unmet {
                Unmet::Capture { .. } => &mut row.settled_by_hand,
                Unmet::Void { .. } => &mut row.voided,
                Unmet::Refund { .. } => &mut row.refunded_by_hand,
            };
            *settled = settled.saturating_add(event.amount.minor());
        }
    }
    row.version = seen.version;
    row
}
