//! New keys: the waiting ones in one transaction.

use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::SqlitePool;
use storage::{BulkStatement, WriteTransaction};

use crate::keys::contract::{DataKey, KeyState};
use crate::keys::inserter::KeyTable;
use crate::keys::sql::rows;

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
    let mut transaction = WriteTransaction::begin(writer).await?;
    INSERT
        .execute(transaction.connection(), keys, |query, (person, key)| {
            query.bind(person.as_str()).bind(key.wrapped.as_slice())
        })
        .await?;
    let found = sqlx::query(FIND_MANY).bind(people).fetch_all(transaction.connection()).await?;
    transaction.commit().await?;
    rows::states(&found)
}

#[cfg(test)]
mod tests {
    use storage::{Database, Durability};

    use super::*;

    #[tokio::test]
    async fn p1_a_disk_that_was_full_refuses_no_key_when_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.db");
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        let table = include_str!("migrations/0001_keys.sql");
        sqlx::raw_sql(table).execute(database.writer()).await.unwrap();
        let key = |wrapped: Vec<u8>| [("person".to_owned(), DataKey { wrapped })];
        // No page more than there are: as on a full disk, SQLite itself ends the transaction.
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(database.writer()).await.unwrap();
        assert!(insert(database.writer(), &key(vec![7; 100_000])).await.is_err());

        sqlx::raw_sql("PRAGMA max_page_count = 1000000").execute(database.writer()).await.unwrap();
        let inserted = insert(database.writer(), &key(vec![7; 100])).await;
        assert!(matches!(inserted.unwrap()["person"], KeyState::Present(_)));
    }
}
