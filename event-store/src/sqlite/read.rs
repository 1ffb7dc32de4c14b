//! Reads of the log by position and by stream.

use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt as _};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Row as _, Sqlite, SqlitePool};

use super::packed::{self, packed_events};
use crate::sql::rows::{EventDecoder, integer};
use crate::types::{Position, RecordedEvent, StreamId, Version};

/// Events that come as one text, at most. SQLite refuses a text of more than a billion bytes; so many of the largest events
/// are half of that.
const PART: usize = 1_000;

/// Parts that are on their way while one is at work.
const AHEAD: usize = 2;

/// At most `$2` events after position `$1`. They have no holes, so the places say how many it is.
const ALL: &str = packed_events!("WHERE position > $1 AND position <= $1 + $2");
/// At most `$2` events of stream `$3` after version `$1`.
const STREAM: &str = packed_events!("WHERE stream = $3 AND version > $1 AND version <= $1 + $2");

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

pub(super) async fn all(
    reader: &SqlitePool,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let part = |last: Option<&RecordedEvent>, limit| {
        sqlx::query(ALL).bind(integer(last.map_or(after, |event| event.position))).bind(limit)
    };
    in_parts(reader, limit, part).await
}

pub(super) async fn stream(
    reader: &SqlitePool,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let part = |last: Option<&RecordedEvent>, limit| {
        sqlx::query(STREAM)
            .bind(integer(last.map_or(after, |event| event.version)))
            .bind(limit)
            .bind(Arc::clone(stream))
    };
    in_parts(reader, limit, part).await
}

/// Parts in order, up to a position; ends at the first that is not there, and after an error.
pub(super) fn on(
    reader: SqlitePool,
    after: Position,
    to: Position,
) -> impl Stream<Item = Result<Vec<RecordedEvent>, sqlx::Error>> + Send {
    let parts = (after..to).step_by(PART).map(move |after| {
        let limit = usize::try_from(to - after).unwrap_or(PART).min(PART);
        let reader = reader.clone();
        async move { all(&reader, after, limit).await }
    });
    // In tasks of their own, which read on while whoever takes the parts is at work.
    let read = stream::iter(parts).map(tokio::spawn).buffered(AHEAD);
    let mut failed = false;
    read.map(|part| part.unwrap_or(Err(sqlx::Error::WorkerCrashed))).take_while(move |part| {
        let goes_on = !failed && !matches!(part, Ok(part) if part.is_empty());
        failed |= part.is_err();
        std::future::ready(goes_on)
    })
}

/// Nothing is ever changed or taken out between two parts, so they need no snapshot in common.
async fn in_parts(
    reader: &SqlitePool,
    limit: usize,
    part: impl Fn(Option<&RecordedEvent>, i64) -> Query,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let (mut events, mut decoder) = (Vec::new(), EventDecoder::default());
    while events.len() < limit {
        let asked = PART.min(limit - events.len());
        let row = part(events.last(), integer(asked as u64)).fetch_one(reader).await?;
        let before = events.len();
        packed::read(row.try_get(0)?, &mut decoder, &mut events)?;
        if events.len() < before + asked {
            break;
        }
    }
    Ok(events)
}
