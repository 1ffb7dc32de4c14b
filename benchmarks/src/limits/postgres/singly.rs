//! One insert a transaction, one statement a round trip: what a store without batches can reach.

use std::sync::Arc;

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;

use super::table::{self, event_id};
use crate::clients::{Done, Load};
use crate::harness::Measurement;
use crate::postgres::Database;
use crate::subjects::Asked;

const ONE: &str = "INSERT INTO plain (stream, version, id, type, payload, metadata)
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Each client has a connection of its own.
pub(in crate::limits) async fn singly(asked: &Asked, clients: u32) -> Result<Measurement> {
    let database = Database::create(&asked.postgres).await?;
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Mutex::new(PgConnection::connect(database.url()).await?));
    }
    table::create(connections[0].get_mut()).await?;
    database.settle().await?;
    let connections = Arc::new(connections);
    let load = Load::of(clients, asked.seconds);
    let outcome = load.closed(move |client, number| {
        let connections = Arc::clone(&connections);
        async move {
            let mut connection = connections[client as usize].lock().await;
            let (stream, version) = next(client, clients, number);
            sqlx::query(ONE)
                .bind(stream)
                .bind(version)
                .bind(event_id())
                .bind(table::TYPE)
                .bind(table::payload())
                .bind(table::metadata())
                .execute(&mut *connection)
                .await?;
            Ok(Done::Yes)
        }
    });
    let outcome = outcome.await?;
    database.remove().await?;
    outcome.measured(&asked.subject, &asked.row, clients)
}

/// Where a client appends next: streams that no other goes to.
pub(super) fn next(client: u32, clients: u32, number: u64) -> (String, i64) {
    const STREAMS: u64 = 10_000;
    const STRIDE: u64 = 7_919;
    let each = STREAMS / u64::from(clients);
    let place = u64::from(client) + u64::from(clients) * (number * STRIDE % each);
    let stream = u32::try_from(place).unwrap_or_default();
    (table::stream_name(stream), table::next_version(number / each))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_append_is_at_the_next_version_of_its_stream() {
        let seen: BTreeSet<_> = (0..312).map(|number| next(3, 64, number)).collect();
        assert_eq!(seen.len(), 312);
        assert_eq!(seen.iter().map(|(_, version)| *version).max(), Some(7));
    }
}
