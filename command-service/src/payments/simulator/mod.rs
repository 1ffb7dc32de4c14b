//! The simulated payment provider, with its own ledger. The payment method chooses the outcome, as test cards do.
//!
//! It knows nothing of the log: its ledger is a second book, kept apart, that the invariant checker compares with ours.
//!
//! **Invariant:** every call is idempotent by its key; a key that was closed by a probe is never used; money is in the
//! ledger before the call is answered.

mod behaviour;
mod entry;
mod http;
mod provider;
mod sqlite;
pub(super) mod wire;

pub use entry::{EntryStatus, LedgerEntry};
pub use http::{desk_router, ledger_router};
pub use provider::{SimulatedProvider, SimulatorSettings};
pub use sqlite::Ledger;
