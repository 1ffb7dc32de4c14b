//! The event log: the only truth of the platform.
//!
//! Here is the contract ([`EventLog`], and [`keys::KeyStore`] for the keys of personal data), one conformance suite
//! that every backend passes, and the backends `sqlite`, `postgres` and `memory`.
//!
//! **Invariant:** positions are 1..n in commit order, without holes; an append transaction is in the log whole or not
//! at all; nothing here knows what an order is.

mod batch;
mod clock;
mod contract;
mod error;
mod event_id;
mod head;
mod judge;
mod recent;
mod sql;
mod types;

pub mod conformance;
pub mod keys;
pub mod memory;
pub mod postgres;
pub mod sqlite;

pub use clock::Clock;
pub use contract::EventLog;
pub use error::{AppendError, NoAppends, StoreError};
pub use event_id::Ids;
pub use types::*;
