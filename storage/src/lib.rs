//! How Docket opens SQLite files and PostgreSQL databases and writes many rows at once; the one place for pragmas, session
//! settings and bulk statements.
//!
//! **Invariant:** one writer connection a SQLite file, and readers never wait for it; every call of PostgreSQL ends
//! within its time; nothing here knows whose tables these are.

mod away;
mod backoff;
mod bulk;
mod checkpoint_pace;
mod damage;
mod lease;
mod migrations;
mod online_copy;
mod sqlite;
mod write_transaction;

pub mod postgres;
pub mod store;

pub use away::{is_away, is_away_behind};
pub use backoff::Backoff;
pub use bulk::BulkStatement;
pub use damage::{is_damaged, is_unwritable};
pub use lease::{Asked, Fence, Guarded, Held, Lease, LeaseRow, LeaseSettings, Passed, Told};
pub use migrations::migrator;
pub use online_copy::{Prepared, Snapshot, Standstill};
pub use sqlite::{Database, Durability};
pub use store::{Connection, Location, Migrations, Query, Row, Sql, Store, Transaction};
pub use write_transaction::WriteTransaction;
