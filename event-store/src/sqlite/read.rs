//! Reads of the log by position and by stream.

use std::sync::Arc;

use sqlx::SqlitePool;

use crate::sql::rows::{EventDecoder, integer};
use crate::sql::statements;
use crate::types::{Position, RecordedEvent, StreamId, Version};

pub(super) async fn all(
    reader: &SqlitePool,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(statements::ALL).bind(integer(after)).bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(reader).await?)
}

pub(super) async fn stream(
    reader: &SqlitePool,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(statements::STREAM)
        .bind(Arc::clone(stream))
        .bind(integer(after))
        .bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(reader).await?)
}
