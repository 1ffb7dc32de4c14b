//! The ledger in SQLite: a file of its own, one writer, group commit.

mod ledger;
mod rows;

pub use ledger::Ledger;
