//! Rows of the tables, and how they become our types.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::types::{
    Intent, KnownCommand, LogIdentity, Metadata, RecordedEvent, Snapshot, StoredAnswer, StreamId,
};

/// The columns of an event, in the order that [`EventRow`] reads them.
macro_rules! event_columns {
    () => {
        "events.position, events.stream, events.version, events.id, events.type, \
         events.schema_version, events.payload, events.metadata, events.recorded_at"
    };
}
pub(crate) use event_columns;

/// A row of `events`, borrowed from the driver.
pub(crate) struct EventRow<'r> {
    pub(crate) position: i64,
    pub(crate) stream: &'r str,
    pub(crate) version: i64,
    pub(crate) id: Uuid,
    pub(crate) event_type: &'r str,
    pub(crate) schema_version: i32,
    pub(crate) payload: &'r str,
    pub(crate) metadata: &'r str,
    pub(crate) recorded_at: i64,
}

/// Turns rows into events. Neighbours share what is equal: names of types, the stream, the metadata of a transaction.
#[derive(Default)]
pub(crate) struct EventDecoder {
    types: HashSet<Arc<str>>,
    stream: Option<StreamId>,
    metadata: Option<(String, Arc<Metadata>)>,
}

impl EventDecoder {
    pub(crate) fn decode<'r, R>(&mut self, row: &'r R) -> Result<RecordedEvent, sqlx::Error>
    where
        EventRow<'r>: TryFrom<&'r R, Error = sqlx::Error>,
    {
        self.take(&EventRow::try_from(row)?)
    }

    pub(crate) fn take(&mut self, row: &EventRow<'_>) -> Result<RecordedEvent, sqlx::Error> {
        Ok(RecordedEvent {
            position: count(row.position)?,
            stream: self.stream(row.stream),
            version: count(row.version)?,
            id: row.id,
            event_type: self.event_type(row.event_type),
            schema_version: u32::try_from(row.schema_version).map_err(undecodable)?,
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
pub(crate) struct CommandRow {
    pub(crate) command_id: String,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) status: i32,
    pub(crate) body: String,
    pub(crate) version: i64,
    pub(crate) position: i64,
}

impl TryFrom<CommandRow> for (Arc<str>, KnownCommand) {
    type Error = sqlx::Error;

    fn try_from(row: CommandRow) -> Result<Self, sqlx::Error> {
        let hash = row.request_hash.try_into();
        let request_hash = hash.map_err(|_| undecodable("a request hash without 32 bytes"))?;
        let (version, position) = (count(row.version)?, count(row.position)?);
        let status = u16::try_from(row.status).map_err(undecodable)?;
        let answer = StoredAnswer { status, body: row.body, version, position };
        Ok((row.command_id.into(), KnownCommand { request_hash, answer }))
    }
}

/// A row of `log_identity`.
pub(crate) struct IdentityRow {
    log: String,
    epoch: i64,
}

impl TryFrom<IdentityRow> for LogIdentity {
    type Error = sqlx::Error;

    fn try_from(row: IdentityRow) -> Result<Self, sqlx::Error> {
        Ok(Self { log: row.log.into(), epoch: u32::try_from(row.epoch).map_err(undecodable)? })
    }
}

/// A row of `snapshots`.
pub(crate) struct SnapshotRow {
    stream: String,
    version: i64,
    state: String,
}

impl TryFrom<SnapshotRow> for Snapshot {
    type Error = sqlx::Error;

    fn try_from(row: SnapshotRow) -> Result<Self, sqlx::Error> {
        Ok(Self { stream: row.stream.into(), version: count(row.version)?, state: row.state })
    }
}

/// A row of `intents`.
pub(crate) struct IntentRow {
    id: String,
    payload: String,
    opened_at: i64,
}

impl TryFrom<IntentRow> for Intent {
    type Error = sqlx::Error;

    fn try_from(row: IntentRow) -> Result<Self, sqlx::Error> {
        Ok(Self { id: row.id.into(), payload: row.payload, opened_at: time(row.opened_at)? })
    }
}

/// How a row of either driver becomes one of ours: its columns, in the order that the struct has them.
macro_rules! read_columns {
    ($driver:ty: $($row:ident $(<$life:lifetime>)? { $($column:ident),+ })+) => { $(
        impl<'r> TryFrom<&'r $driver> for $row $(<$life>)? {
            type Error = sqlx::Error;

            fn try_from(row: &'r $driver) -> Result<Self, sqlx::Error> {
                let mut columns = 0..;
                let mut next = || columns.next().unwrap_or_default();
                // Unchecked: the columns' types are those of our own tables, and were compared for every value.
                Ok(Self { $($column: row.try_get_unchecked(next())?),+ })
            }
        }
    )+ };
}

macro_rules! read_rows {
    ($driver:ty) => {
        read_columns! { $driver:
            EventRow<'r> {
                position, stream, version, id, event_type, schema_version, payload, metadata, recorded_at
            }
            CommandRow { command_id, request_hash, status, body, version, position }
            IdentityRow { log, epoch }
            SnapshotRow { stream, version, state }
            IntentRow { id, payload, opened_at }
        }
    };
}

read_rows!(SqliteRow);
read_rows!(PgRow);

/// A position or version as a database keeps it.
pub(crate) fn integer(count: u64) -> i64 {
    // Counted up one by one from zero: no log gets near the end. A reader's "after" may be beyond it.
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A position or version as we count it.
pub(crate) fn count(integer: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(integer).map_err(undecodable)
}

fn time(micros: i64) -> Result<DateTime<Utc>, sqlx::Error> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| undecodable("a time out of range"))
}

pub(crate) fn undecodable(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
