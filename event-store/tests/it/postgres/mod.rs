//! The log and the keys in PostgreSQL databases.

mod faults;
mod keys;
mod late_commits;
mod log;
mod look_ups;
mod roles;
mod takeover;

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use event_store::conformance::durability::Place;
use event_store::postgres::PostgresLog;
use event_store::{AnswerToKeep, AppendTransaction, EventLog, Metadata, NewEvent, StreamId};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::{Connection as _, PgConnection};
use test_servers::Database;

/// Far more than anything here takes; what would hang fails instead.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database with the tables of a log.
pub(crate) struct Migrated(Database);

/// A fresh one; `None` when PostgreSQL is not installed.
pub(crate) fn place() -> Option<Migrated> {
    test_servers::database().map(Migrated)
}

impl Migrated {
    /// The log as the one that appends.
    pub(crate) async fn active(&self) -> PostgresLog {
        let log = self.standby().await;
        log.take_over().await.unwrap();
        log
    }

    async fn standby(&self) -> PostgresLog {
        PostgresLog::migrate(&self.0.url(), None).await.unwrap();
        PostgresLog::open(&self.0.url()).await.unwrap()
    }

    /// A connection past the log, as its owner.
    async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.0.url()).await.unwrap()
    }
}

impl Place for Migrated {
    fn open(&self) -> BoxFuture<'_, Arc<dyn EventLog>> {
        async move { Arc::new(self.active().await) as Arc<dyn EventLog> }.boxed()
    }
}

/// A command that writes an event to each of the streams, whatever their versions.
fn writes(id: &str, streams: &[&str]) -> AppendTransaction {
    let metadata = Metadata {
        command_id: id.into(),
        actor: "a tester".into(),
        correlation_id: id.into(),
        causation_id: None,
        traceparent: None,
        occurred_at: DateTime::UNIX_EPOCH,
    };
    let events = streams.iter().map(|&stream| NewEvent {
        stream: stream.into(),
        event_type: "Written".into(),
        schema_version: 1,
        payload: "{}".into(),
    });
    AppendTransaction {
        command_id: id.into(),
        request_hash: [1; 32],
        reads: vec![],
        events: events.collect(),
        metadata: Arc::new(metadata),
        answer: Some(AnswerToKeep {
            status: 200,
            body: "{}".into(),
            target: StreamId::from(streams[0]),
        }),
        intents: vec![],
    }
}

/// Checks that the log is dense and answers the command of each event, in order.
async fn commands_of_dense_log(log: &dyn EventLog) -> Vec<String> {
    let events = log.read_all(0, usize::MAX).await.unwrap();
    assert!(events.iter().map(|event| event.position).eq(1..=events.len() as u64));
    events.iter().map(|event| event.metadata.command_id.to_string()).collect()
}
