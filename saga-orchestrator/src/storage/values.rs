//! Values as SQL has them, and back. What can't be read back was not written by us, and is an error.

/// What the database can't hold, or does not hold as it should.
pub(super) fn not_as_written(
    error: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// A count or position as SQL has it.
pub(super) fn integer(number: u64) -> Result<i64, sqlx::Error> {
    i64::try_from(number).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(not_as_written)
}

/// A small number, which both dialects give as 64 bits.
pub(super) fn count(number: i64) -> Result<u32, sqlx::Error> {
    u32::try_from(number).map_err(not_as_written)
}

pub(super) fn instant(micros: i64) -> Result<chrono::DateTime<chrono::Utc>, sqlx::Error> {
    chrono::DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| not_as_written("a time out of range"))
}

/// A unit variant of an enum as its word in snake case, such as `needs_attention`.
pub(super) fn word<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(sqlx::Error::Encode(format!("{other} is not a word").into())),
        Err(error) => Err(sqlx::Error::Encode(error.into())),
    }
}

pub(super) fn from_word<T: serde::de::DeserializeOwned>(word: String) -> Result<T, sqlx::Error> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(not_as_written)
}
