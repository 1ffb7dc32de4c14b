//! The PostgreSQL log against plain inserts of the same rows, in the same run on the same server.

mod batches;
mod compare;
mod plain;

pub(crate) use compare::append;
