//! The log in one SQLite file.
//!
//! **Invariant:** one connection writes, in transactions that begin with `BEGIN IMMEDIATE`; every other statement reads
//! from connections that cannot write.

mod append;
mod intents;
mod known;
mod load;
mod log;
mod read;
mod schema;
mod snapshots;

pub use log::SqliteLog;
