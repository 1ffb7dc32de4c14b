//! Rows of the tables, and how they become our types.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::types::{
    Intent, KnownCommand, Metadata, RecordedEvent, Snapshot, StoredAnswer, StreamId,
};

/// The columns of an event, in the order that [`EventRow`] reads them.
macro_rules! event_columns {
    () => {
        "events.position, events.stream, events.version, events.id, events.type, \
         events.schema_version, events.payload, events.metadata, events.recorded_at"
    };
}
pub(super) use event_columns;

/// A row of `events`, borrowed from the driver.
struct EventRow<'r> {
    position: i64,
    stream: &'r str,
    version: i64,
    id: Uuid,
    event_type: &'r str,
    schema_version: u32,
    payload: &'r str,
    metadata: &'r str,
    recorded_at: i64,
}

impl<'r> TryFrom<&'r SqliteRow> for EventRow<'r> {
    type Error = sqlx::Error;

    fn try_from(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: row.try_get(0)?,
            stream: row.try_get(1)?,
            version: row.try_get(2)?,
            id: row.try_get(3)?,
            event_type: row.try_get(4)?,
            schema_version: row.try_get(5)?,
            payload: row.try_get(6)?,
            metadata: row.try_get(7)?,
            recorded_at: row.try_get(8)?,
        })
    }
}

/// Turns rows into events. Neighbours share what is equal: names of types, the stream, the metadata of a transaction.
#[derive(Default)]
pub(super) struct EventDecoder {
    types: HashSet<Arc<str>>,
    stream: Option<StreamId>,
    metadata: Option<(String, Arc<Metadata>)>,
}

impl EventDecoder {
    pub(super) fn decode_all(rows: &[SqliteRow]) -> Result<Vec<RecordedEvent>, sqlx::Error> {
        let mut decoder = Self::default();
        rows.iter().map(|row| decoder.decode(row)).collect()
    }

    fn decode(&mut self, row: &SqliteRow) -> Result<RecordedEvent, sqlx::Error> {
        let row = EventRow::try_from(row)?;
        Ok(RecordedEvent {
            position: count(row.position)?,
            stream: self.stream(row.stream),
            version: count(row.version)?,
            id: row.id,
            event_type: self.event_type(row.event_type),
            schema_version: row.schema_version,
            payload: row.payload.to_owned(),
            metadata: self.metadata(row.metadata)?,
            recorded_at: time(row.recorded_at)?,
        })
    }

    fn event_type(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.types.insert(Arc::clone(&name));
        name
    }

    fn stream(&mut self, name: &str) -> StreamId {
        match &self.stream {
            Some(last) if **last == *name => Arc::clone(last),
            _ => Arc::clone(self.stream.insert(name.into())),
        }
    }

    fn metadata(&mut self, text: &str) -> Result<Arc<Metadata>, sqlx::Error> {
        match &self.metadata {
            Some((last, metadata)) if last == text => Ok(Arc::clone(metadata)),
            _ => {
                let metadata = Arc::new(serde_json::from_str(text).map_err(undecodable)?);
                self.metadata = Some((text.to_owned(), Arc::clone(&metadata)));
                Ok(metadata)
            }
        }
    }
}

/// A row of `commands`.
pub(super) struct CommandRow {
    command_id: String,
    request_hash: Vec<u8>,
    status: u16,
    body: String,
    version: i64,
    position: i64,
}

impl TryFrom<&SqliteRow> for CommandRow {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            command_id: row.try_get(0)?,
            request_hash: row.try_get(1)?,
            status: row.try_get(2)?,
            body: row.try_get(3)?,
            version: row.try_get(4)?,
            position: row.try_get(5)?,
        })
    }
}

impl TryFrom<CommandRow> for (Arc<str>, KnownCommand) {
    type Error = sqlx::Error;

    fn try_from(row: CommandRow) -> Result<Self, sqlx::Error> {
        let hash = row.request_hash.try_into();
        let request_hash = hash.map_err(|_| undecodable("a request hash without 32 bytes"))?;
        let (version, position) = (count(row.version)?, count(row.position)?);
        let answer = StoredAnswer { status: row.status, body: row.body, version, position };
        Ok((row.command_id.into(), KnownCommand { request_hash, answer }))
    }
}

/// Decodes a snapshot: stream, version, state.
pub(super) fn snapshot(row: &SqliteRow) -> Result<Snapshot, sqlx::Error> {
    let stream: &str = row.try_get(0)?;
    Ok(Snapshot { stream: stream.into(), version: count(row.try_get(1)?)?, state: row.try_get(2)? })
}

/// Decodes an open intent: id, payload, time.
pub(super) fn intent(row: &SqliteRow) -> Result<Intent, sqlx::Error> {
    let id: &str = row.try_get(0)?;
    Ok(Intent { id: id.into(), payload: row.try_get(1)?, opened_at: time(row.try_get(2)?)? })
}

/// A position or version as SQLite keeps it.
pub(super) fn integer(count: u64) -> i64 {
    // Counted up one by one from zero: no log gets near the end. A reader's "after" may be beyond it.
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A position or version as we count it.
pub(super) fn count(integer: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(integer).map_err(undecodable)
}

fn time(micros: i64) -> Result<DateTime<Utc>, sqlx::Error> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| undecodable("a time out of range"))
}

fn undecodable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
