//! What Stripe tells by itself: signed notices that something happened to a payment.
//!
//! **Invariant:** a notice is a reason to look, never an outcome. What it says of a payment is not read.

mod notice;
mod seen;
mod signature;

pub use notice::Notice;
pub use seen::SeenNotices;
pub use signature::{BadSignature, Signatures};
