//! New keys: the waiting ones in one statement.

use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use storage::postgres::PostgresPool;

use crate::keys::contract::{DataKey, KeyState};
use crate::keys::inserter::KeyTable;
use crate::keys::sql::rows;

/// In order of the people, so that two processes can't wait for each other.
const INSERT: &str = "INSERT INTO keys (person, wrapped)
    SELECT DISTINCT ON (new.person COLLATE \"C\") new.person, new.wrapped
    FROM unnest($1::text[], $2::bytea[]) AS new (person, wrapped)
    ORDER BY new.person COLLATE \"C\"
    ON CONFLICT (person) DO NOTHING";

/// After the insert: what another process committed meanwhile counts.
const FIND_MANY: &str =
    "SELECT person, wrapped, erased_at FROM keys WHERE person = ANY ($1::text[])";

/// The table, by its connections that write.
pub(super) struct Table {
    pub(super) writer: PostgresPool,
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
    writer: &PostgresPool,
    keys: &[(String, DataKey)],
) -> Result<HashMap<String, KeyState>, sqlx::Error> {
    let people: Vec<&str> = keys.iter().map(|(person, _)| person.as_str()).collect();
    let wrapped: Vec<&[u8]> = keys.iter().map(|(_, key)| key.wrapped.as_slice()).collect();
    let call = writer.call(async |connection| {
        sqlx::query(INSERT).bind(&people).bind(&wrapped).execute(&mut *connection).await?;
        sqlx::query(FIND_MANY).bind(&people).fetch_all(connection).await
    });
    rows::states(&call.await?)
}
