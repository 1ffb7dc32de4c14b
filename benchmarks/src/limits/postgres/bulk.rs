//! One connection that inserts many events with every statement.

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};
use std::time::{Duration, Instant};

use super::singly::next;
use super::table::{self, Rows};
use crate::harness::Measurement;
use crate::postgres::Database;
use crate::row;
use crate::subjects::Asked;

/// So many events a commit; every one on another stream.
pub(in crate::limits) async fn bulk(asked: &Asked, events: u32) -> Result<Measurement> {
    let database = Database::create(&asked.postgres).await?;
    let mut connection = PgConnection::connect(database.url()).await?;
    table::create(&mut connection).await?;
    database.settle().await?;
    let (mut us, mut number) = (row::empty(), 0_u64);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(asked.seconds) {
        let mut rows = Rows::default();
        for _ in 0..events {
            let (stream, version) = next(0, 1, number);
            rows.push(stream, version);
            number += 1;
        }
        let sent = Instant::now();
        rows.insert(&mut connection).await?;
        row::record(&mut us, sent.elapsed());
    }
    let rate = row::per_second(number, begun.elapsed());
    connection.close().await?;
    database.remove().await?;
    Ok(Measurement::of(&asked.subject, &asked.row).value(rate, "events/s").latency(&us))
}
