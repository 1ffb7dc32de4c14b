//! The load: known commands, snapshots and events of many streams, in one snapshot of the database.

use std::collections::HashMap;

use sqlx::{SqliteConnection, SqlitePool};

use crate::sql::rows::{EventDecoder, SnapshotRow, event_columns};
use crate::types::{LoadRequest, Loaded, LoadedStream, Snapshot, StreamId, Version};

use super::known;

const SNAPSHOTS: &str = "SELECT stream, version, state
    FROM json_each($1) AS asked CROSS JOIN snapshots ON stream = asked.value
    WHERE schema_hash = $2";

/// `$1` is an array of `[stream, after]`. Read along the index of streams, so each comes in order of its versions.
const EVENTS: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM json_each($1) AS asked CROSS JOIN events
      ON events.stream = asked.value ->> 0 AND events.version > asked.value ->> 1"
);

pub(super) async fn load(reader: &SqlitePool, request: LoadRequest) -> Result<Loaded, sqlx::Error> {
    let mut transaction = reader.begin().await?;
    let mut loaded = Loaded::default();
    if !request.commands.is_empty() {
        loaded.commands = known::commands(&mut transaction, &request.commands).await?;
    }
    if !request.streams.is_empty() {
        loaded.streams = streams(&mut transaction, request.streams, request.schema_hash).await?;
    }
    transaction.commit().await?;
    Ok(loaded)
}

async fn streams(
    connection: &mut SqliteConnection,
    asked: Vec<StreamId>,
    schema_hash: u64,
) -> Result<HashMap<StreamId, LoadedStream>, sqlx::Error> {
    let mut streams: HashMap<StreamId, LoadedStream> =
        asked.into_iter().map(|stream| (stream, LoadedStream::default())).collect();
    let snapshots = sqlx::query(SNAPSHOTS)
        .bind(known::json(streams.keys())?)
        .bind(schema_hash.cast_signed())
        .fetch_all(&mut *connection)
        .await?;
    for row in &snapshots {
        let snapshot: Snapshot = SnapshotRow::try_from(row)?.try_into()?;
        if let Some(stream) = streams.get_mut(&snapshot.stream) {
            stream.snapshot = Some(snapshot);
        }
    }
    let after: Vec<(&StreamId, Version)> = streams
        .iter()
        .map(|(name, stream)| (name, stream.snapshot.as_ref().map_or(0, |found| found.version)))
        .collect();
    let events = sqlx::query(EVENTS).bind(known::json(after)?).fetch_all(connection).await?;
    for event in EventDecoder::decode_all(&events)? {
        if let Some(stream) = streams.get_mut(&event.stream) {
            stream.events.push(event);
        }
    }
    for stream in streams.values_mut() {
        // Costs one pass when they are in order, as they are; only a statement with a sort of its own would promise it.
        stream.events.sort_by_key(|event| event.version);
    }
    Ok(streams)
}
