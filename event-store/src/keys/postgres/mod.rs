//! Keys in a PostgreSQL database, best one of their own, apart from the log and from its backups.

mod insert;
mod store;

pub use store::PostgresKeys;
