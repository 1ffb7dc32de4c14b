//! The log and the keys in PostgreSQL databases.

use std::sync::Arc;

use event_store::EventLog;
use event_store::conformance::durability::Place;
use event_store::postgres::PostgresLog;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use test_servers::Database;

/// A database with the tables of a log.
pub(crate) struct Migrated(Database);

impl Migrated {
    /// The log as the one that appends.
    pub(crate) async fn active(&self) -> PostgresLog {
        let url = self.0.url();
        PostgresLog::migrate(&url, None).await.unwrap();
        let log = PostgresLog::open(&url).await.unwrap();
        log.take_over().await.unwrap();
        log
    }
}

impl Place for Migrated {
    fn open(&self) -> BoxFuture<'_, Arc<dyn EventLog>> {
        async move { Arc::new(self.active().await) as Arc<dyn EventLog> }.boxed()
    }
}

/// A fresh place; `None` when PostgreSQL is not installed.
pub(crate) fn place() -> Option<Migrated> {
    test_servers::database().map(Migrated)
}

mod log {
    use super::*;

    async fn open() -> Option<(Arc<dyn EventLog>, Migrated)> {
        let place = place()?;
        Some((place.open().await, place))
    }

    event_store::conformance_suite!(open);
    event_store::durable_conformance_suite!(place);
}
