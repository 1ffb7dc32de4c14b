//! What the judge has to know, asked of the tables as a set: a statement costs the same for one id as for a hundred.

use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use crate::batch;
use crate::judge::Known;
use crate::sql::rows::{CommandRow, count};
use crate::types::{AppendTransaction, StreamId, Version};

/// The columns of a command as its row reads them, and its kind.
macro_rules! asked_commands {
    ($kind:literal) => {
        concat!(
            "SELECT command_id, request_hash, status, body, version, position",
            $kind,
            " FROM json_each($1) AS asked CROSS JOIN commands ON command_id = asked.value"
        )
    };
}
pub(super) use asked_commands;

/// Known commands (0), then the head and the last version of each stream (1); the kind comes last. One text is one way to the
/// connection's thread and back, which is most of what a small batch costs; and all versions are one row, because every row
/// is carried over by itself. A stream without events has no version.
/// `IMMEDIATE`: a read that turns into a write can fail.
const BEGIN_AND_ASK: &str = concat!(
    "BEGIN IMMEDIATE; ",
    asked_commands!(", 0"),
    " UNION ALL SELECT '', NULL, 0, json_group_array(
        (SELECT max(version) FROM events WHERE stream = value) ORDER BY key
      ), (SELECT max(position) FROM events), 0, 1 FROM json_each($2)"
);

/// Begins the writing transaction and reads everything that a batch is judged by: nothing changes in between.
pub(super) async fn begin_and_ask(
    connection: &mut SqliteConnection,
    batch: &[AppendTransaction],
) -> Result<Known, sqlx::Error> {
    let streams: Vec<&StreamId> = batch::streams(batch).into_iter().collect();
    let rows = sqlx::query(BEGIN_AND_ASK)
        .bind(json(batch::command_ids(batch))?)
        .bind(json(&streams)?)
        .fetch_all(connection)
        .await?;
    let mut known = Known::default();
    for row in &rows {
        if row.try_get::<i64, _>(6)? == 0 {
            let (id, command) = CommandRow::try_from(row)?.try_into()?;
            known.commands.insert(id, command);
            continue;
        }
        known.head = count(row.try_get::<Option<i64>, _>(4)?.unwrap_or(0))?;
        let versions: Vec<Option<Version>> = serde_json::from_str(row.try_get(3)?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let found = streams.iter().zip(versions);
        known.versions =
            found.filter_map(|(stream, last)| Some((StreamId::clone(stream), last?))).collect();
    }
    Ok(known)
}

/// A JSON array: how a statement takes a set.
pub(super) fn json<T: Serialize>(
    values: impl IntoIterator<Item = T>,
) -> Result<String, sqlx::Error> {
    let values: Vec<T> = values.into_iter().collect();
    serde_json::to_string(&values).map_err(|error| sqlx::Error::Encode(error.into()))
}
