//! How Docket opens SQLite files and PostgreSQL databases and writes many rows at once; the one place for pragmas, session
//! settings and bulk statements.
//!
//! **Invariant:** one writer connection a SQLite file, and readers never wait for it; every call of PostgreSQL ends
//! within its time; nothing here knows whose tables these are.

mod backoff;
mod bulk;
mod migrations;
mod sqlite;

pub mod postgres;

pub use backoff::Backoff;
pub use bulk::BulkStatement;
pub use migrations::migrator;
pub use sqlite::{Database, Durability};
