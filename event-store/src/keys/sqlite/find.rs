//! Reads of the table of keys.

use sqlx::SqlitePool;

use crate::keys::contract::{DataKey, KeyState, Tombstone};
use crate::keys::sql::{rows, statements};

pub(super) async fn person(reader: &SqlitePool, person: &str) -> Result<KeyState, sqlx::Error> {
    rows::state(sqlx::query(statements::FIND).bind(person).fetch_optional(reader).await?)
}

pub(super) async fn tombstones(reader: &SqlitePool) -> Result<Vec<Tombstone>, sqlx::Error> {
    rows::tombstones(&sqlx::query(statements::TOMBSTONES).fetch_all(reader).await?)
}

pub(super) async fn any_key(reader: &SqlitePool) -> Result<Option<(String, DataKey)>, sqlx::Error> {
    rows::key(sqlx::query(statements::ANY_KEY).fetch_optional(reader).await?)
}
