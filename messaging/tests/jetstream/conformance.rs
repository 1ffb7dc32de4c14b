//! The suites that every backend passes.

use std::sync::Arc;
use std::time::Duration;

use event_store::memory::MemoryLog;
use event_store::{EventLog, LogIdentity};
use futures::future::BoxFuture;
use messaging::conformance::queue_cases::{CAPACITY, CONCURRENCY, QueueUnderTest};
use messaging::conformance::{FeedUnderTest, ScriptedHandler};
use messaging::jetstream::{
    CommandConsumer, CommandsSettings, ConsumerSettings, EpochKeeper, JetStreamFeed,
    JetStreamQueue, Names, OwnedLog,
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
        let feed = Arc::new(JetStreamFeed::open(client, Names::default()).await);
        Some(FeedUnderTest { feed, log, keep: Box::new((stop.drop_guard(), nats)) })
    }

    messaging::feed_conformance_suite!(open);
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
        let queue = Arc::new(JetStreamQueue::new(client, names, commands));
        Some(QueueUnderTest { queue, handler, keep: Box::new((stop.drop_guard(), nats)) })
    }

    messaging::queue_conformance_suite!(open);
}
