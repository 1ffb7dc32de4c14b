//! Plain reads of Docket's own rows: one statement whose rows are decoded as they come, or pages.

use anyhow::Result;
use futures::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::super::reads::{PAGE, Plain};

const ALL: &str =
    "SELECT position, stream, version, id, type, schema_version, payload, metadata, recorded_at
    FROM events WHERE position > $1 ORDER BY position";
const SOME: &str =
    "SELECT position, stream, version, id, type, schema_version, payload, metadata, recorded_at
    FROM events WHERE position > $1 ORDER BY position LIMIT $2";

fn plain(row: &PgRow) -> Result<Plain<'_>> {
    Ok(Plain {
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

/// One statement over all.
pub(in crate::limits) async fn streamed(url: &str) -> Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let mut rows = sqlx::query(ALL).bind(0_i64).fetch(&mut connection);
    let mut events = 0;
    while let Some(row) = rows.try_next().await? {
        plain(&row)?.decode()?;
        events += 1;
    }
    Ok(events)
}

/// A statement for every page.
pub(in crate::limits) async fn pages(url: &str) -> Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let (mut events, mut at) = (0, 0);
    loop {
        let rows = sqlx::query(SOME).bind(at).bind(PAGE).fetch_all(&mut connection).await?;
        for row in &rows {
            at = plain(row)?.decode()?;
            events += 1;
        }
        if rows.is_empty() {
            return Ok(events);
        }
    }
}
