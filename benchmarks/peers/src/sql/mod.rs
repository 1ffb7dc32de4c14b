//! Every statement that is ours: a fresh database, and the streams that a peer finds in it.

mod database;
mod streams;

pub(crate) use database::{Database, connect};
pub(crate) use streams::{
    CQRS_ES_EVENTS, CQRS_ES_SCHEMA, CQRS_ES_SNAPSHOTS, DISINTEGRATE_EVENTS, DISINTEGRATE_REST,
    DISINTEGRATE_SEQUENCE, EMMETT_EVENTS, EMMETT_STREAMS, ESRS_EVENTS, MESSAGE_DB_CATEGORY,
    MESSAGE_DB_EVENTS, MESSAGE_DB_STREAM, MESSAGE_DB_WRITE,
};
