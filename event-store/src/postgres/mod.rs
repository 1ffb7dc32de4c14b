//! The log in a PostgreSQL database.
//!
//! **Invariant:** whatever writes an event holds the lock of the log's one writer row from its first statement to its
//! commit, and is one call of one function of the server. So commit order is position order, and no client's pause can
//! hold the others up.

mod announcer;
mod answering;
mod append;
mod arguments;
mod identity;
mod ledger;
mod listener;
mod load;
mod log;
mod read;
mod read_on;
mod schema;
mod snapshots;
mod token;
mod undisputed;

pub use log::PostgresLog;
