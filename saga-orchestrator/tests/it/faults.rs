//! What the orchestrator can't get past, it stands still at, visibly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use event_store::{AppendTransaction, EventLog, LogIdentity, Metadata, NewEvent, Position};
use futures::future::BoxFuture;
use messaging::conformance::FeedOver;
use messaging::embedded::{EmbeddedQueue, QueueSettings};
use messaging::feed::{Feed, FeedError, Subscription};
use saga_orchestrator::Phase;
use serde_json::json;
use storage::Store;

use crate::bench::{Bench, on_both};
use crate::clock::TestClock;
use crate::shop::Shop;

fn unreadable() -> AppendTransaction {
    let command_id: Arc<str> = "broken".into();
    AppendTransaction {
        command_id: Arc::clone(&command_id),
        request_hash: [0; 32],
        reads: vec![("order-broken".into(), 0)],
        events: vec![NewEvent {
            stream: "order-broken".into(),
            event_type: "OrderPlaced".into(),
            schema_version: 1,
            payload: "{\"order_id\":7}".to_owned(),
        }],
        metadata: Arc::new(Metadata {
            correlation_id: Arc::clone(&command_id),
            command_id,
            actor: "test".into(),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        answer: None,
        intents: Vec::new(),
    }
}

on_both! {
    an_event_that_cannot_be_read_stops_it_and_is_named,
    another_log_is_not_taken_for_the_one_that_was_folded,
    a_new_epoch_puts_aside_what_the_log_does_not_have_and_keeps_what_it_has,
    a_second_orchestrator_on_the_same_database_makes_the_first_stand_still,
    a_feed_that_fails_for_now_is_tried_again,
}

async fn an_event_that_cannot_be_read_stops_it_and_is_named(bench: Bench) {
    bench.shop.log.append(vec![unreadable()]).await.unwrap();
    bench.shop.place("o1", "pm_ok", 1).await;
    let running = bench.start().await;
    let faulted =
        |status: &saga_orchestrator::Status| matches!(status.phase, Phase::Faulted { .. });
    let status = running.until("it stands still", faulted).await;
    let Phase::Faulted { position, cause } = status.phase else { panic!("{:?}", status.phase) };
    assert_eq!(position, 3);
    assert!(cause.contains("OrderPlaced"), "{cause}");
    assert_eq!(status.position, 0, "nothing of the page was folded");
    let retry =
        running.post("/sagas/order-o1/retry", Some("k"), json!({ "reason": "again" })).await;
    assert_eq!(retry.0, 404);
}

async fn another_log_is_not_taken_for_the_one_that_was_folded(mut bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    running.orchestrator.shutdown().await;
    bench.shop = Shop::open(&TestClock::new()).await;
    let running = bench.start().await;
    let faulted =
        |status: &saga_orchestrator::Status| matches!(status.phase, Phase::Faulted { .. });
    running.until("it stands still", faulted).await;
    let (_, saga) = running.get("/sagas/order-o1").await;
    assert_eq!(saga["state"], "waiting", "people can still look");
}

/// The feed of the bench's log, as one of this log and epoch.
fn told_as(bench: &Bench, log: &Arc<str>, epoch: u32) -> Arc<dyn Feed> {
    let identity = LogIdentity { log: Arc::clone(log), epoch };
    Arc::new(Flaky { inner: bench.feed(), failures: AtomicUsize::new(0), identity })
}

async fn put_aside(bench: &Bench) -> i64 {
    let store = Store::open_read_only(&bench.location("sagas"), 1).await.unwrap();
    let count = "SELECT count(*) FROM sagas_put_aside WHERE id = 'order-o1' AND before_epoch = 2";
    let count = store.reader().await.unwrap().query(count).scalar().await.unwrap();
    store.close().await;
    count
}

async fn a_new_epoch_puts_aside_what_the_log_does_not_have_and_keeps_what_it_has(mut bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    running.orchestrator.shutdown().await;
    let log = bench.shop.log.identity().log;

    // Another history of the same log: nobody placed o1.
    bench.shop = Shop::open(&bench.clock).await;
    let queue = EmbeddedQueue::new(Arc::clone(&bench.shop) as _, QueueSettings::default());
    bench.queue = Arc::new(queue);
    bench.shop.place("o2", "pm_ok", 1).await;
    let running = bench.start_with(bench.settings(), told_as(&bench, &log, 2)).await;
    running.until_saga("order-o2", "waiting", "complete_order").await;
    assert_eq!(running.get("/sagas/order-o1").await.0, 404);
    running.orchestrator.shutdown().await;
    assert_eq!(put_aside(&bench).await, 1, "people can look at it");

    // A restore that took nothing from what was folded.
    let running = bench.start_with(bench.settings(), told_as(&bench, &log, 3)).await;
    running.until_live().await;
    assert_eq!(running.get("/sagas/order-o2").await.1["state"], "waiting");
    running.orchestrator.shutdown().await;
    assert_eq!(put_aside(&bench).await, 1, "nothing was put aside again");

    // The epoch only rises.
    let running = bench.start_with(bench.settings(), told_as(&bench, &log, 2)).await;
    let faulted =
        |status: &saga_orchestrator::Status| matches!(status.phase, Phase::Faulted { .. });
    running.until("it stands still", faulted).await;
}

async fn a_second_orchestrator_on_the_same_database_makes_the_first_stand_still(bench: Bench) {
    let first = bench.start().await;
    first.until_live().await;
    let second = bench.start().await;
    second.until_live().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    let faulted =
        |status: &saga_orchestrator::Status| matches!(status.phase, Phase::Faulted { .. });
    let one = first.until("one gives way", |_| {
        faulted(&first.orchestrator.status()) || faulted(&second.orchestrator.status())
    });
    let two = second.until("one gives way", |_| {
        faulted(&first.orchestrator.status()) || faulted(&second.orchestrator.status())
    });
    futures::future::select(Box::pin(one), Box::pin(two)).await;
}

async fn a_feed_that_fails_for_now_is_tried_again(bench: Bench) {
    let feed = bench.feed();
    let identity = feed.identity();
    let feed = Arc::new(Flaky { inner: feed, failures: AtomicUsize::new(1), identity });
    let running = bench.start_with(bench.settings(), feed).await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until("it tries again", |status| matches!(status.phase, Phase::Retrying { .. })).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
}

/// A feed that can't be subscribed to at first.
struct Flaky {
    inner: Arc<dyn Feed>,
    failures: AtomicUsize,
    /// Which log it says that it is of.
    identity: LogIdentity,
}

impl FeedOver for Flaky {
    fn under(&self) -> &dyn Feed {
        &*self.inner
    }

    fn identity(&self) -> LogIdentity {
        self.identity.clone()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let left = self.failures.load(Ordering::SeqCst);
            if left > 0 {
                self.failures.store(left - 1, Ordering::SeqCst);
                return Err(FeedError::Unavailable("not now".into()));
            }
            self.inner.subscribe(after).await
        })
    }
}
