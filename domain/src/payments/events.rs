//! What happens to a payment.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{CancellationId, OrderId, PaymentId, ReturnId, ShipmentId};
use crate::money::Money;
use crate::stream::Stream;
use crate::text::{PaymentMethod, ProviderReference, Reason};

/// What is asked of the provider.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Hold the amount.
    Authorize,
    /// Take a part of what is held.
    Capture,
    /// Give back a part of what is held.
    Void,
    /// Give back a part of what was taken.
    Refund,
}

impl Operation {
    /// The name that stands in events and in the provider's keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

/// What the provider did not do, and a person settled instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Unmet {
    /// It did not take the amount of a shipment.
    Capture {
        /// The shipment.
        shipment_id: ShipmentId,
    },
    /// It did not give back what it holds.
    Void {
        /// The cancellation that it was for: for each only once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cancellation_id: Option<CancellationId>,
    },
    /// It did not give back the amount of a return.
    Refund {
        /// The return.
        return_id: ReturnId,
    },
}

/// How a person settled what the provider did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The money went another way: by bank transfer, in cash, at the provider's own desk.
    Elsewhere,
    /// No money moves: the claim is given up, or the hold is left to lapse.
    Waived,
}

/// Intent: the provider will be asked to hold the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What is to be held.
    pub amount: Money,
    /// How it is paid.
    pub method: PaymentMethod,
    /// Counted from 1; rises only after a recorded failure.
    pub attempt: u32,
}

/// The provider holds the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorized {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What is held.
    pub amount: Money,
    /// Until when, by the provider's clock.
    pub expires_at: DateTime<Utc>,
    /// Whether the provider can capture more than once.
    pub multi_capture: bool,
    /// What the provider calls the payment, if it has a name of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
}

/// The provider refused, or it is certain that it never did anything: nothing is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDeclined {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it should have paid.
    pub order_id: OrderId,
    /// The provider's code, or `payment_failed`.
    pub code: Reason,
}

/// The provider did not answer in time, or said that it did something else. It may have done it; it is asked until it
/// tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentOutcomeUnknown {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What was asked.
    pub operation: Operation,
    /// The attempt that is not answered.
    pub attempt: u32,
    /// What it says it did instead of what it was asked: another amount. Only a person can tell what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Money>,
}

/// Intent: the provider will be asked to take the amount of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The shipment that is paid.
    pub shipment_id: ShipmentId,
    /// What is to be taken.
    pub amount: Money,
    /// Counted from 1 over all captures of the payment; the same until its outcome is recorded.
    pub attempt: u32,
    /// What the provider calls the payment, if it has a name of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
}

/// The provider took the amount of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCaptured {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The shipment that is paid.
    pub shipment_id: ShipmentId,
    /// What was taken.
    pub amount: Money,
}

/// The provider did not take the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureFailed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The shipment that is not paid.
    pub shipment_id: ShipmentId,
    /// The provider's code.
    pub code: Reason,
    /// True when a further attempt may succeed; false for a hard decline.
    pub retriable: bool,
}

/// Intent: the provider will be asked to give back a part of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoidRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What is to be given back.
    pub amount: Money,
    /// Counted from 1 over all voids of the payment.
    pub attempt: u32,
    /// The cancellation that it is for; for each only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
    /// What the provider calls the payment, if it has a name of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
}

/// The provider holds this part no more. Of an amount of 0 it is a tombstone: nothing can be authorized any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationVoided {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What was given back.
    pub amount: Money,
    /// The cancellation that it is for; for each only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_id: Option<CancellationId>,
}

/// The provider did not give the amount back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoidRefused {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The provider's code.
    pub code: Reason,
    /// True when a further attempt may succeed.
    pub retriable: bool,
}

/// Intent: the provider will be asked to give back the amount of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The return that is paid back.
    pub return_id: ReturnId,
    /// What is to be given back.
    pub amount: Money,
    /// Counted from 1 over all refunds of the payment; the same until its outcome is recorded.
    pub attempt: u32,
    /// What the provider calls the payment, if it has a name of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
}

/// The provider gave back the amount of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The return that is paid back.
    pub return_id: ReturnId,
    /// What was given back.
    pub amount: Money,
}

/// The provider did not give the amount back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFailed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The return that is not paid back.
    pub return_id: ReturnId,
    /// The provider's code.
    pub code: Reason,
    /// True when a further attempt may succeed.
    pub retriable: bool,
}

/// The provider gave up holding what was not captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationExpired {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What is not held any more.
    pub amount: Money,
}

/// A person settled by hand what the provider did not do. The provider took nothing and gave nothing: that nothing is
/// captured or refunded by it stays true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentSettledByHand {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// What the provider did not do.
    pub unmet: Unmet,
    /// What it is about.
    pub amount: Money,
    /// Whether money went another way.
    pub settlement: Settlement,
    /// How, in a person's words.
    pub reason: Reason,
}

macro_rules! payment_events {
    ($($event:ident = $version:literal),+ $(,)?) => {
        context_events! {
            /// The events of a payment.
            PaymentEvent { $($event = $version),+ }
        }

        impl PaymentEvent {
            /// The payment that the event is about.
            pub fn payment_id(&self) -> &PaymentId {
                match self { $(Self::$event(event) => &event.payment_id),+ }
            }

            pub(crate) fn stream(&self) -> Stream {
                Stream::Payment(self.payment_id().clone())
            }

            pub(crate) fn order_id(&self) -> Option<&OrderId> {
                match self { $(Self::$event(event) => Some(&event.order_id)),+ }
            }
        }
    };
}

payment_events! {
    PaymentRequested = 1,
    PaymentAuthorized = 1,
    PaymentDeclined = 1,
    PaymentOutcomeUnknown = 1,
    CaptureRequested = 1,
    PaymentCaptured = 1,
    CaptureFailed = 1,
    VoidRequested = 1,
    AuthorizationVoided = 1,
    VoidRefused = 1,
    RefundRequested = 1,
    PaymentRefunded = 1,
    RefundFailed = 1,
    AuthorizationExpired = 1,
    PaymentSettledByHand = 1,
}
