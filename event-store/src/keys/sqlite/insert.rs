//! New keys: the waiting ones in one transaction.

use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::SqlitePool;
use storage::BulkStatement;

use crate::keys::contract::{DataKey, KeyState};
use crate::keys::inserter::KeyTable;
use crate::keys::sql::rows;

const BEGIN: &str = "BEGIN IMMEDIATE";

static INSERT: BulkStatement =
    BulkStatement::new("INSERT INTO keys (person, wrapped)", 2, "ON CONFLICT (person) DO NOTHING");

const FIND_MANY: &str = "SELECT person, wrapped, erased_at
    FROM json_each($1) AS asked CROSS JOIN keys ON person = asked.value";

/// The table, by its one writing connection.
pub(super) struct Table {
    pub(super) writer: SqlitePool,
}

impl KeyTable for Table {
    fn insert<'a>(
        &'a self,
        keys: &'a [(String, DataKey)],
    ) -> BoxFuture<'a, Result<HashMap<String, KeyState>, sqlx::Error>> {
        insert(&self.writer, keys).boxed()
    }
}

async fn insert(
    writer: &SqlitePool,
    keys: &[(String, DataKey)],
) -> Result<HashMap<String, KeyState>, sqlx::Error> {
    let people: Vec<&str> = keys.iter().map(|(person, _)| person.as_str()).collect();
    let people =
        serde_json::to_string(&people).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let mut transaction = writer.begin_with(BEGIN).await?;
    INSERT
        .execute(&mut transaction, keys, |query, (person, key)| {
            query.bind(person.as_str()).bind(key.wrapped.as_slice())
        })
        .await?;
    let found = sqlx::query(FIND_MANY).bind(people).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    rows::states(&found)
}
