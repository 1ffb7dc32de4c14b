//! Payments: authorize at checkout, capture at shipment, refund on return.
//!
//! Money moves at a provider, so every movement is two events: the intent before the provider is called, and the
//! outcome after. An outcome that can't be known yet is an event of its own, never a guess.

mod authorize_payment;
mod capture_payment;
mod events;
mod expire_authorization;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod holding_rules;
mod payment;
mod payment_status;
mod provider_outcome;
mod record_payment_outcome;
mod refund_payment;
#[cfg(test)]
mod rules;
mod settle_payment_by_hand;
mod void_authorization;
mod void_late_authorization;

pub use authorize_payment::AuthorizePayment;
pub use capture_payment::CapturePayment;
pub use events::*;
pub use expire_authorization::ExpireAuthorization;
pub use payment::{OpenOperation, Payment};
pub use payment_status::PaymentStatus;
pub use provider_outcome::ProviderOutcome;
pub use record_payment_outcome::RecordPaymentOutcome;
pub use refund_payment::RefundPayment;
pub use settle_payment_by_hand::{ByHand, SettlePaymentByHand};
pub use void_authorization::VoidAuthorization;
pub use void_late_authorization::VoidLateAuthorization;
