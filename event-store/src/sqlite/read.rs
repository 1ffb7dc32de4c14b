//! Reads of the log by position and by stream.

use std::sync::Arc;

use sqlx::SqlitePool;

use crate::types::{Position, RecordedEvent, StreamId, Version};

use super::rows::{EventDecoder, event_columns, integer};

const ALL: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE position > $1 ORDER BY position LIMIT $2"
);

const STREAM: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"
);

pub(super) async fn all(
    reader: &SqlitePool,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(ALL).bind(integer(after)).bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(reader).await?)
}

pub(super) async fn stream(
    reader: &SqlitePool,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(STREAM)
        .bind(Arc::clone(stream))
        .bind(integer(after))
        .bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(reader).await?)
}
