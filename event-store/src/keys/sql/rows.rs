//! Rows of the table of keys, and how they become our types.

use std::collections::HashMap;

use chrono::DateTime;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::keys::contract::{DataKey, KeyState, Tombstone};

/// A row of `keys`.
pub(crate) struct KeyRow {
    person: String,
    wrapped: Option<Vec<u8>>,
    erased_at: Option<i64>,
}

impl TryFrom<&SqliteRow> for KeyRow {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { person: row.try_get(0)?, wrapped: row.try_get(1)?, erased_at: row.try_get(2)? })
    }
}

impl TryFrom<&PgRow> for KeyRow {
    type Error = sqlx::Error;

    fn try_from(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { person: row.try_get(0)?, wrapped: row.try_get(1)?, erased_at: row.try_get(2)? })
    }
}

impl TryFrom<KeyRow> for (String, KeyState) {
    type Error = sqlx::Error;

    fn try_from(row: KeyRow) -> Result<Self, sqlx::Error> {
        let state = match (row.wrapped, row.erased_at) {
            (Some(wrapped), None) => Ok(KeyState::Present(DataKey { wrapped })),
            (None, Some(micros)) => DateTime::from_timestamp_micros(micros)
                .map(|at| KeyState::Erased { at })
                .ok_or_else(|| sqlx::Error::Decode("a time out of range".into())),
            (Some(_), Some(_)) | (None, None) => {
                Err(sqlx::Error::Decode("neither a key nor a tombstone".into()))
            }
        };
        Ok((row.person, state?))
    }
}

/// What is known of one person.
pub(crate) fn state<R>(row: Option<R>) -> Result<KeyState, sqlx::Error>
where
    for<'r> KeyRow: TryFrom<&'r R, Error = sqlx::Error>,
{
    let Some(row) = row else { return Ok(KeyState::Absent) };
    let (_, state) = KeyRow::try_from(&row)?.try_into()?;
    Ok(state)
}

/// What is known of several people.
pub(crate) fn states<R>(rows: &[R]) -> Result<HashMap<String, KeyState>, sqlx::Error>
where
    for<'r> KeyRow: TryFrom<&'r R, Error = sqlx::Error>,
{
    rows.iter().map(|row| KeyRow::try_from(row)?.try_into()).collect()
}

/// The key in this row.
pub(crate) fn key<R>(row: Option<R>) -> Result<Option<(String, DataKey)>, sqlx::Error>
where
    for<'r> KeyRow: TryFrom<&'r R, Error = sqlx::Error>,
{
    let Some(row) = row else { return Ok(None) };
    Ok(match KeyRow::try_from(&row)?.try_into()? {
        (person, KeyState::Present(key)) => Some((person, key)),
        (_, KeyState::Absent | KeyState::Erased { .. }) => None,
    })
}

/// Everyone of these rows who was erased.
pub(crate) fn tombstones<R>(rows: &[R]) -> Result<Vec<Tombstone>, sqlx::Error>
where
    for<'r> KeyRow: TryFrom<&'r R, Error = sqlx::Error>,
{
    let erased = rows.iter().map(|row| match KeyRow::try_from(row)?.try_into()? {
        (person, KeyState::Erased { at }) => Ok(Some((person, at))),
        (_, KeyState::Absent | KeyState::Present(_)) => Ok(None),
    });
    erased.filter_map(Result::transpose).collect()
}
