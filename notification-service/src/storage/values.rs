//! Values as SQL has them, and back. What can't be read back was not written by us, and is an error.

use chrono::{DateTime, Utc};

/// What the database does not hold as it should.
pub(super) fn not_as_written(
    error: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// A position as SQL has it.
pub(super) fn integer(number: u64) -> Result<i64, sqlx::Error> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(not_as_written)
}

/// A time as SQL has it.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

pub(super) fn instant(micros: i64) -> Result<DateTime<Utc>, sqlx::Error> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| not_as_written("a time out of range"))
}
