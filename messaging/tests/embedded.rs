//! The embedded backend keeps the promises of the contracts, over both logs.

#![expect(clippy::unwrap_used, reason = "a fixture that can not be made fails its test")]

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_store::{
    AppendError, AppendTransaction, EventLog, Intent, LoadRequest, Loaded, LogIdentity, Position,
    RecordedEvent, Snapshot, StoreError, StreamId, Verdict, Version,
};
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, CommandQueue, Handled};
use messaging::conformance::queue_cases::{CAPACITY, CONCURRENCY, QueueUnderTest};
use messaging::conformance::{FeedUnderTest, ScriptedHandler};
use messaging::embedded::{EmbeddedFeed, EmbeddedQueue, QueueSettings};
use tokio::sync::{Semaphore, mpsc, watch};

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

#[tokio::test]
async fn a_queue_that_is_shut_down_lets_calls_end_and_takes_no_more() {
    let handler = Arc::new(ScriptedHandler::default());
    let queue = EmbeddedQueue::new(Arc::clone(&handler) as _, QueueSettings::default());
    queue.send(vec![message("later-1"), message("plain")]).await.unwrap();
    queue.shutdown().await;
    assert!(queue.send(vec![message("too-late")]).await.is_err());
}

/// Notes whom it hears of, one for each turn that it is given.
struct OneByOne {
    turns: Semaphore,
    heard: mpsc::UnboundedSender<Arc<str>>,
}

impl CommandHandler for OneByOne {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        Box::pin(async move {
            self.turns.acquire().await.unwrap().forget();
            self.heard.send(message.command_id).unwrap();
            Handled::Done
        })
    }
}

#[tokio::test]
async fn what_was_begun_goes_before_what_begins_something() {
    let (heard, mut order) = mpsc::unbounded_channel();
    let handler = Arc::new(OneByOne { turns: Semaphore::new(0), heard });
    let settings = QueueSettings { concurrency: 1, capacity: 10 };
    let queue = EmbeddedQueue::new(Arc::clone(&handler) as _, settings);
    let begun = CommandMessage { begun: true, ..message("b2") };
    queue.send(vec![message("a1"), message("b1"), message("c1"), begun]).await.unwrap();
    handler.turns.add_permits(4);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(order.recv().await.unwrap());
    }
    assert_eq!(ids.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["b2", "a1", "b1", "c1"]);
}

fn message(id: &str) -> CommandMessage {
    CommandMessage {
        command_id: id.into(),
        body: "{}".to_owned(),
        correlation_id: id.into(),
        causation_id: None,
        traceparent: None,
        occurred_at: chrono::DateTime::UNIX_EPOCH,
        begun: false,
    }
}

/// A log that once leaves an event out of a page.
struct Holey {
    inner: event_store::memory::MemoryLog,
    holes: AtomicUsize,
}

impl EventLog for Holey {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        self.inner.append(batch)
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.inner.load(request)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        self.inner.read_stream(stream, after, limit)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        Box::pin(async move {
            let mut page = self.inner.read_all(after, limit).await?;
            if page.len() > 2 && self.holes.swap(0, Ordering::SeqCst) > 0 {
                page.remove(1);
            }
            Ok(page)
        })
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        self.inner.open_intents()
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.save_snapshots(schema_hash, snapshots)
    }
}

#[tokio::test]
async fn a_hole_is_an_error_and_is_read_again() {
    let inner = event_store::memory::MemoryLog::new();
    let t = over(Arc::new(Holey { inner, holes: AtomicUsize::new(1) }), ());
    for number in 0..5 {
        t.append("writer", number).await;
    }
    let mut subscription = t.feed.subscribe(0).await.unwrap();
    assert!(subscription.next(10).await.is_err());
    let mut positions = Vec::new();
    while positions.len() < 5 {
        let page = subscription.next(10).await.unwrap();
        positions.extend(page.iter().map(|event| event.position));
    }
    assert_eq!(positions, [1, 2, 3, 4, 5]);
}
