//! The orchestrator's own database: sagas, outbox, checkpoint, clock, operator actions.
//!
//! **Invariant:** only the runner writes, in transactions that begin with `BEGIN IMMEDIATE` and compare the checkpoint
//! first; a saga's row changes only from the version that was read.

mod actions;
mod audit;
mod checkpoint;
mod clock;
mod open;
mod outbox;
mod sagas;
mod search;

pub(crate) use actions::{PastAction, find_action, insert_action};
pub(crate) use audit::read_audit;
pub(crate) use checkpoint::{
    Checkpoint, advance, read_checkpoint, read_position, start_checkpoint,
};
pub(crate) use clock::{read_alive_at, write_alive_at};
pub(crate) use open::open;
pub(crate) use outbox::{
    OutboxRow, Sending, delete_done, insert_outbox, make_all_due, make_due, read_due,
    read_sendings, reschedule,
};
pub(crate) use sagas::{
    SagaRow, count_states, orders_to_wake, read_of_orders, read_unfinished, write_sagas,
};
pub(crate) use search::{ListFilter, ListedSaga, find_saga, list_sagas, summaries};

/// `BEGIN IMMEDIATE`: a read that turns into a write can fail.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

/// What the database can't hold, or does not hold as it should.
fn not_as_written(
    error: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// A count or position as SQL has it.
fn integer(number: u64) -> Result<i64, sqlx::Error> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(not_as_written)
}

fn instant(micros: i64) -> Result<chrono::DateTime<chrono::Utc>, sqlx::Error> {
    chrono::DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| not_as_written("a time out of range"))
}

/// Texts as one parameter, for `json_each`.
fn json_list<'t>(texts: impl Iterator<Item = &'t str>) -> Result<String, sqlx::Error> {
    serde_json::to_string(&texts.collect::<Vec<_>>())
        .map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A unit variant of an enum as its word in snake case, such as `needs_attention`.
fn word<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(sqlx::Error::Encode(format!("{other} is not a word").into())),
        Err(error) => Err(sqlx::Error::Encode(error.into())),
    }
}

fn from_word<T: serde::de::DeserializeOwned>(word: String) -> Result<T, sqlx::Error> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(not_as_written)
}
