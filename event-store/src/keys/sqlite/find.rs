//! Reads of the table of keys.

use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use crate::keys::contract::{DataKey, KeyState, Tombstone};

const FIND: &str = "SELECT person, wrapped, erased_at FROM keys WHERE person = $1";

const TOMBSTONES: &str = "SELECT person, wrapped, erased_at FROM keys
    WHERE erased_at IS NOT NULL ORDER BY person";

/// A row of `keys`.
pub(super) struct KeyRow {
    pub(super) person: String,
    wrapped: Option<Vec<u8>>,
    erased_at: Option<i64>,
}

impl TryFrom<&SqliteRow> for KeyRow {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { person: row.try_get(0)?, wrapped: row.try_get(1)?, erased_at: row.try_get(2)? })
    }
}

impl TryFrom<KeyRow> for KeyState {
    type Error = sqlx::Error;

    fn try_from(row: KeyRow) -> Result<Self, sqlx::Error> {
        match (row.wrapped, row.erased_at) {
            (Some(wrapped), None) => Ok(Self::Present(DataKey { wrapped })),
            (None, Some(micros)) => DateTime::from_timestamp_micros(micros)
                .map(|at| Self::Erased { at })
                .ok_or_else(|| sqlx::Error::Decode("a time out of range".into())),
            (Some(_), Some(_)) | (None, None) => {
                Err(sqlx::Error::Decode("neither a key nor a tombstone".into()))
            }
        }
    }
}

pub(super) async fn person(reader: &SqlitePool, person: &str) -> Result<KeyState, sqlx::Error> {
    match sqlx::query(FIND).bind(person).fetch_optional(reader).await? {
        Some(row) => KeyRow::try_from(&row)?.try_into(),
        None => Ok(KeyState::Absent),
    }
}

pub(super) async fn tombstones(reader: &SqlitePool) -> Result<Vec<Tombstone>, sqlx::Error> {
    let rows = sqlx::query(TOMBSTONES).fetch_all(reader).await?;
    let erased = rows.iter().map(|row| {
        let row = KeyRow::try_from(row)?;
        let person = row.person.clone();
        match KeyState::try_from(row)? {
            KeyState::Erased { at } => Ok(Some((person, at))),
            KeyState::Absent | KeyState::Present(_) => Ok(None),
        }
    });
    erased.filter_map(Result::transpose).collect()
}
