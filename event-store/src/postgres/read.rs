//! Reads of the log by position and by stream, and of its open intents.

use std::sync::Arc;

use sqlx::PgConnection;

use crate::sql::rows::{EventDecoder, IntentRow, integer};
use crate::sql::statements;
use crate::types::{Intent, Position, RecordedEvent, StreamId, Version};

pub(super) async fn all(
    connection: &mut PgConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(statements::ALL).bind(integer(after)).bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(connection).await?)
}

pub(super) async fn stream(
    connection: &mut PgConnection,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(statements::STREAM)
        .bind(Arc::clone(stream))
        .bind(integer(after))
        .bind(integer(limit as u64));
    EventDecoder::decode_all(&query.fetch_all(connection).await?)
}

/// Side effects that were begun and not ended, oldest first.
pub(super) async fn open_intents(
    connection: &mut PgConnection,
) -> Result<Vec<Intent>, sqlx::Error> {
    let found = sqlx::query(statements::OPEN_INTENTS).fetch_all(connection).await?;
    found.iter().map(|row| IntentRow::try_from(row)?.try_into()).collect()
}
