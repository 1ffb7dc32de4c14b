//! The embedded backend keeps the promises of the contracts, over both logs.

#![expect(clippy::unwrap_used, reason = "a fixture that can not be made fails its test")]

use std::any::Any;
use std::sync::Arc;

use event_store::EventLog;
use messaging::conformance::queue_cases::{CAPACITY, CONCURRENCY, QueueUnderTest};
use messaging::conformance::{FeedUnderTest, ScriptedHandler};
use messaging::embedded::{EmbeddedFeed, EmbeddedQueue, QueueSettings};

fn over(log: Arc<dyn EventLog>, keep: impl Any + Send + Sync) -> FeedUnderTest {
    let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&log)));
    FeedUnderTest { feed, log, keep: Box::new(keep) }
}

mod feed_over_memory {
    use super::*;

    async fn open() -> FeedUnderTest {
        over(Arc::new(event_store::memory::MemoryLog::new()), ())
    }

    messaging::feed_conformance_suite!(open);
}

mod feed_over_sqlite {
    use super::*;

    async fn open() -> FeedUnderTest {
        let folder = tempfile::tempdir().unwrap();
        let log = event_store::sqlite::SqliteLog::open(&folder.path().join("log.db")).await;
        over(Arc::new(log.unwrap()), folder)
    }

    messaging::feed_conformance_suite!(open);
}

mod queue {
    use super::*;

    async fn open() -> QueueUnderTest {
        let handler = Arc::new(ScriptedHandler::default());
        let settings = QueueSettings { concurrency: CONCURRENCY, capacity: CAPACITY };
        let queue = EmbeddedQueue::new(Arc::clone(&handler) as _, settings);
        QueueUnderTest { queue: Arc::new(queue), handler, keep: Box::new(()) }
    }

    messaging::queue_conformance_suite!(open);
}
