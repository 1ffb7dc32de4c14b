//! What every backend promises: a case each, run on a fresh store. A failure names backend and case.
//!
//! [`conformance_suite!`](crate::conformance_suite) makes a test of every case for a log,
//! [`durable_conformance_suite!`](crate::durable_conformance_suite) for one that outlives its process, and
//! [`key_store_conformance_suite!`](crate::key_store_conformance_suite) for a store of keys.
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a case fails by panicking")]

mod fixtures;
mod suite;

pub mod appends;
pub mod batches;
pub mod durability;
pub mod idempotency;
pub mod intents;
pub mod keys;
pub mod loads;
pub mod reads;
