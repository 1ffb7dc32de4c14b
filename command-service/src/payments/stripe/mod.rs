//! Stripe as the payment provider: its `PaymentIntents` API, with manual capture.
//!
//! A payment is one `PaymentIntent`, whose id the log keeps as the payment's reference. What is unknown is looked up in
//! Stripe's own record (the intent, its metadata, its refunds) and never told from what an `Idempotency-Key` still
//! remembers: a key is honoured for a day only. The key keeps a call that is made again from being done twice meanwhile.
//!
//! **Invariant:** only what Stripe says about the object that a call is about becomes an outcome. A request that was turned
//! away, in progress, throttled, or that failed on Stripe's side is never a decline.

mod amounts;
mod authorize;
mod capture;
mod client;
mod close;
mod failed;
mod form;
mod list;
mod objects;
mod provider;
mod refund;
mod void;
pub mod webhook;

pub use client::{InvalidAddress, StripeSettings};
pub use list::{StripePayment, StripeRecord};
pub use provider::StripeProvider;
