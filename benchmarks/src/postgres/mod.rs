//! The PostgreSQL log against plain inserts of the same rows, in the same run on the same server; and a database for
//! whoever measures.

mod batches;
mod compare;
mod database;
mod plain;

pub(crate) use compare::{append, prepared};
pub(crate) use database::Database;
