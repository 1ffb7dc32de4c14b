//! The load: known commands, snapshots and events of many streams. One statement, so one snapshot of the database and one
//! way to the connection's thread and back.

use sqlx::{Row as _, SqlitePool};

use crate::sql::rows::{CommandRow, EventDecoder, SnapshotRow, event_columns};
use crate::types::{LoadRequest, Loaded, LoadedStream, Snapshot};

use super::known::{self, asked_commands};

/// `$1` are command ids, `$2` streams, `$3` the schema hash of usable snapshots. Known commands (0), snapshots (1), events
/// (2); the kind comes last. Events are read along the index of streams, so each stream comes in order of its versions.
const LOAD: &str = concat!(
    asked_commands!(", 0, 0, 0, 0"),
    " UNION ALL SELECT stream, version, state, 0, 0, 0, 0, 0, 0, 1
      FROM json_each($2) AS asked CROSS JOIN snapshots ON stream = asked.value
      WHERE schema_hash = $3
      UNION ALL SELECT ",
    event_columns!(),
    ", 2 FROM json_each($2) AS asked CROSS JOIN events
      ON events.stream = asked.value AND events.version > coalesce(
        (SELECT version FROM snapshots WHERE stream = asked.value AND schema_hash = $3), 0)"
);
/// Where a row says its kind.
const KIND: usize = 9;

pub(super) async fn load(pool: &SqlitePool, request: LoadRequest) -> Result<Loaded, sqlx::Error> {
    let rows = sqlx::query(LOAD)
        .bind(known::json(&request.commands)?)
        .bind(known::json(&request.streams)?)
        .bind(request.schema_hash.cast_signed())
        .fetch_all(pool)
        .await?;
    let mut loaded = Loaded::default();
    for stream in request.streams {
        loaded.streams.insert(stream, LoadedStream::default());
    }
    let mut decoder = EventDecoder::default();
    for row in &rows {
        match row.try_get(KIND)? {
            0 => {
                let (id, command) = CommandRow::try_from(row)?.try_into()?;
                loaded.commands.insert(id, command);
            }
            1 => {
                let snapshot = Snapshot::try_from(SnapshotRow::try_from(row)?)?;
                if let Some(stream) = loaded.streams.get_mut(&snapshot.stream) {
                    stream.snapshot = Some(snapshot);
                }
            }
            _ => {
                let event = decoder.decode(row)?;
                if let Some(stream) = loaded.streams.get_mut(&event.stream) {
                    stream.events.push(event);
                }
            }
        }
    }
    for stream in loaded.streams.values_mut() {
        // Costs one pass when they are in order, as they are; only a statement with a sort of its own would promise it.
        stream.events.sort_by_key(|event| event.version);
    }
    Ok(loaded)
}
