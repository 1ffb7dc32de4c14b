//! What the judge has to know, asked of the tables as a set: a statement costs the same for one id as for a hundred.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use crate::batch;
use crate::judge::Known;
use crate::sql::rows::{CommandRow, count};
use crate::types::{AppendTransaction, KnownCommand, StreamId};

const COMMANDS: &str = "SELECT command_id, request_hash, status, body, version, position
    FROM json_each($1) AS asked CROSS JOIN commands ON command_id = asked.value";

/// The head comes first, without a stream. A stream without events has no version.
const HEAD_AND_VERSIONS: &str = "SELECT NULL, max(position) FROM events
    UNION ALL
    SELECT value, (SELECT max(version) FROM events WHERE stream = value) FROM json_each($1)";

/// Everything that a batch is judged by. Called inside the writing transaction, so that nothing changes in between.
pub(super) async fn of_batch(
    connection: &mut SqliteConnection,
    batch: &[AppendTransaction],
) -> Result<Known, sqlx::Error> {
    let mut known = Known {
        commands: commands(connection, batch::command_ids(batch)).await?,
        ..Known::default()
    };
    let rows = sqlx::query(HEAD_AND_VERSIONS).bind(json(batch::streams(batch))?);
    for row in rows.fetch_all(connection).await? {
        let stream: Option<&str> = row.try_get(0)?;
        let last = count(row.try_get::<Option<i64>, _>(1)?.unwrap_or(0))?;
        match stream {
            None => known.head = last,
            Some(stream) => {
                known.versions.insert(StreamId::from(stream), last);
            }
        }
    }
    Ok(known)
}

/// Those of the command ids that are known.
pub(super) async fn commands(
    connection: &mut SqliteConnection,
    ids: impl IntoIterator<Item = &Arc<str>>,
) -> Result<HashMap<Arc<str>, KnownCommand>, sqlx::Error> {
    let rows = sqlx::query(COMMANDS).bind(json(ids)?).fetch_all(connection).await?;
    rows.iter().map(|row| CommandRow::try_from(row)?.try_into()).collect()
}

/// A JSON array: how a statement takes a set.
pub(super) fn json<T: Serialize>(
    values: impl IntoIterator<Item = T>,
) -> Result<String, sqlx::Error> {
    let values: Vec<T> = values.into_iter().collect();
    serde_json::to_string(&values).map_err(|error| sqlx::Error::Encode(error.into()))
}
