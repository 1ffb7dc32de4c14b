//! Keys in a SQLite file of their own, apart from the log and from its backups.

mod erase;
mod erasures_applied;
mod find;
mod insert;
mod master_check;
mod store;

pub use store::SqliteKeys;
