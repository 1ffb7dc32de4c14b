//! One writer that inserts many events with every commit, on disk when it returns.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{QueryBuilder, Sqlite};
use storage::{Database, Durability};
use uuid::Uuid;

use super::super::{METADATA, PAYLOAD};
use crate::harness::Measurement;
use crate::row;
use crate::subjects::Asked;

const TABLE: &str = "CREATE TABLE plain (
    position INTEGER PRIMARY KEY,
    stream   TEXT NOT NULL,
    version  INTEGER NOT NULL,
    id       BLOB NOT NULL UNIQUE,
    type     TEXT NOT NULL,
    payload  TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (stream, version)
) STRICT";

const BULK: &str = "INSERT INTO plain (stream, version, id, type, payload, metadata) ";
/// Events that are there before, five for each of 10,000 streams.
const BEFORE: u32 = 50_000;
const STREAMS: u32 = 10_000;

/// So many events a commit; every one on another stream.
pub(in crate::limits) async fn bulk(asked: &Asked, events: u32) -> Result<Measurement> {
    let folder = tempfile::tempdir()?;
    let database = Database::open(&folder.path().join("plain.db"), Durability::Full, 1).await?;
    sqlx::query(TABLE).execute(database.writer()).await?;
    let mut number = 0;
    while number < BEFORE {
        insert(&database, &mut number, 1_000).await?;
    }
    let (mut us, before) = (row::empty(), number);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(asked.seconds) {
        let sent = Instant::now();
        insert(&database, &mut number, events).await?;
        row::record(&mut us, sent.elapsed());
    }
    let rate = row::per_second(u64::from(number - before), begun.elapsed());
    database.close().await;
    Ok(Measurement::of(&asked.subject, &asked.row).value(rate, "events/s").latency(&us))
}

async fn insert(database: &Database, number: &mut u32, events: u32) -> Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(BULK);
    statement.push_values(*number..*number + events, |mut values, number| {
        #[expect(clippy::disallowed_methods, reason = "there is no event store here")]
        let id = Uuid::now_v7();
        // Streams follow each other without a pattern.
        values.push_bind(format!("stock-b-{:05}", u64::from(number) * 7_919 % u64::from(STREAMS)));
        values.push_bind(i64::from(number / STREAMS) + 1).push_bind(id);
        values.push_bind("StockAdjusted").push_bind(PAYLOAD).push_bind(METADATA);
    });
    statement.build().execute(database.writer()).await?;
    *number += events;
    Ok(())
}
