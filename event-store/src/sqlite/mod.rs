//! The log in one SQLite file.
//!
//! **Invariant:** one connection writes, in transactions that begin with `BEGIN IMMEDIATE`. The processor's load reads from
//! it too, between two appends, because its page cache is the only one that a commit leaves current; every other statement
//! reads from connections that cannot write.

mod append;
mod intents;
mod known;
mod load;
mod log;
mod packed;
mod read;
mod schema;
mod snapshots;
mod trouble;

pub use log::SqliteLog;
