//! Reads of the log by position and by stream, and of its open intents.

use std::sync::Arc;

use futures::{Stream, TryStreamExt as _};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::sql::rows::{EventDecoder, IntentRow, event_columns, integer};
use crate::sql::statements;
use crate::types::{Intent, Position, RecordedEvent, StreamId, Version};

/// At most `$2` events after position `$1`.
const ALL: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE position > $1 ORDER BY position LIMIT $2"
);

/// At most `$3` events of stream `$1` after version `$2`.
const STREAM: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"
);

pub(super) async fn all(
    connection: &mut PgConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(ALL).bind(integer(after)).bind(integer(limit as u64));
    decode(query.fetch(connection)).await
}

pub(super) async fn stream(
    connection: &mut PgConnection,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let query = sqlx::query(STREAM)
        .bind(Arc::clone(stream))
        .bind(integer(after))
        .bind(integer(limit as u64));
    decode(query.fetch(connection)).await
}

/// Decodes rows as they come: meanwhile the server reads on.
async fn decode(
    mut rows: impl Stream<Item = Result<PgRow, sqlx::Error>> + Unpin,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let (mut events, mut decoder) = (Vec::new(), EventDecoder::default());
    while let Some(row) = rows.try_next().await? {
        events.push(decoder.decode(&row)?);
    }
    Ok(events)
}

/// Side effects that were begun and not ended, oldest first.
pub(super) async fn open_intents(
    connection: &mut PgConnection,
) -> Result<Vec<Intent>, sqlx::Error> {
    let found = sqlx::query(statements::OPEN_INTENTS).fetch_all(connection).await?;
    found.iter().map(|row| IntentRow::try_from(row)?.try_into()).collect()
}
