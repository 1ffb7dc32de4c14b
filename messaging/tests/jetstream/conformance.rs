//! The suites that every backend passes.

use std::sync::Arc;
use std::time::Duration;

use event_store::memory::MemoryLog;
use event_store::postgres::PostgresLog;
use event_store::{EventLog, LogIdentity};
use futures::future::BoxFuture;
use messaging::conformance::queue_cases::{CAPACITY, CONCURRENCY, QueueUnderTest};
use messaging::conformance::{FeedUnderTest, ScriptedHandler};
use messaging::jetstream::{
    CommandConsumer, CommandsSettings, ConsumerSettings, EpochKeeper, JetStreamFeed,
    JetStreamQueue, Names, NatsCarrier, OwnedLog,
};
use tokio_util::sync::CancellationToken;

use crate::commands::Shelf;
use crate::platform::{Owner, client, settings, until};

/// Nothing here raises an epoch.
struct FixedEpoch(LogIdentity);

impl EpochKeeper for FixedEpoch {
    fn current(
        &self,
    ) -> BoxFuture<'_, Result<LogIdentity, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn raise_above<'a>(
        &'a self,
        _seen: u32,
        why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move { panic!("the epoch is raised: {why}") })
    }
}

mod feed {
    use super::*;

    async fn open() -> Option<FeedUnderTest> {
        let nats = test_servers::nats()?;
        let client = client(&nats.url()).await;
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
        let epochs = Arc::new(FixedEpoch(log.identity()));
        let stop = CancellationToken::new();
        let owned = OwnedLog::new(Arc::clone(&log), epochs);
        Owner::start_over(&client, &owned, settings(), &stop);
        let feed = Arc::new(JetStreamFeed::open(NatsCarrier::over(client, Names::default())).await);
        Some(FeedUnderTest { feed, log, keep: Box::new((stop.drop_guard(), nats)) })
    }

    messaging::feed_conformance_suite!(open);
}

/// As in production: the log in PostgreSQL, the feed over JetStream.
mod feed_over_postgresql {
    use super::*;

    async fn open() -> Option<FeedUnderTest> {
        let nats = test_servers::nats()?;
        let database = test_servers::database()?;
        let client = client(&nats.url()).await;
        PostgresLog::migrate(&database.url(), None).await.unwrap();
        let log = Arc::new(PostgresLog::open(&database.url()).await.unwrap());
        log.take_over().await.unwrap();
        let stop = CancellationToken::new();
        let owned = OwnedLog::new(Arc::clone(&log) as _, Arc::clone(&log) as _);
        Owner::start_over(&client, &owned, settings(), &stop);
        let feed = Arc::new(JetStreamFeed::open(NatsCarrier::over(client, Names::default())).await);
        Some(FeedUnderTest { feed, log, keep: Box::new((stop.drop_guard(), nats, database)) })
    }

    messaging::feed_conformance_suite!(open);

    #[tokio::test]
    async fn p9_the_epoch_of_a_log_rises_above_what_was_seen_and_only_for_its_owner() {
        let Some(database) = test_servers::database() else { return };
        PostgresLog::migrate(&database.url(), None).await.unwrap();
        let log = PostgresLog::open(&database.url()).await.unwrap();
        assert!(log.raise_above(1, "a standby").await.is_err());
        log.take_over().await.unwrap();
        assert_eq!(log.raise_above(7, "restored").await.unwrap().epoch, 8);
        assert_eq!(log.current().await.unwrap().epoch, 8);
    }
}

mod queue {
    use super::*;

    async fn open() -> Option<QueueUnderTest> {
        let nats = test_servers::nats()?;
        let client = client(&nats.url()).await;
        let names = Names::default();
        let handler = Arc::new(ScriptedHandler::default());
        let commands = CommandsSettings { capacity: CAPACITY.try_into().unwrap(), replicas: 1 };
        let settings = ConsumerSettings {
            commands,
            concurrency: CONCURRENCY,
            ack_wait: Duration::from_secs(5),
            ..ConsumerSettings::default()
        };
        let stop = CancellationToken::new();
        let consumer = CommandConsumer::new(
            client.clone(),
            names.clone(),
            settings,
            Arc::clone(&handler) as _,
            Arc::new(Shelf::default()),
        );
        tokio::spawn(consumer.run(stop.clone()));
        let streams = async_nats::jetstream::new(client.clone());
        until("the queue is there", || async { streams.get_stream("COMMANDS").await.is_ok() })
            .await;
        let queue = Arc::new(JetStreamQueue::new(client, names));
        Some(QueueUnderTest { queue, handler, keep: Box::new((stop.drop_guard(), nats)) })
    }

    messaging::queue_conformance_suite!(open);
}
