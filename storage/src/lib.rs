//! How Docket opens SQLite files and writes many rows at once; the one place for pragmas and for bulk statements.
//!
//! **Invariant:** one writer connection a file; readers never wait for it; nothing here knows whose tables these are.

mod bulk;
mod migrations;
mod sqlite;

pub use bulk::BulkStatement;
pub use migrations::migrator;
pub use sqlite::{Database, Durability};
