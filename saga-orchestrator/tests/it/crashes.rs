//! Whatever moment the orchestrator is killed at, the sagas come out the same.

use std::sync::Arc;

use event_store::{EventLog, Position, RecordedEvent};
use futures::future::BoxFuture;
use messaging::commands::{CommandMessage, CommandQueue, QueueError};
use messaging::conformance::FeedOver;
use messaging::feed::{Feed, FeedError, Subscription};
use saga_orchestrator::Settings;
use storage::{Durability, Store};
use tokio::sync::watch;

use crate::bench::{Bench, on_both};

/// A feed that shows the log up to a position only, as it was when that was its head.
struct UpTo {
    feed: Arc<dyn Feed>,
    limit: Position,
    head: watch::Sender<Position>,
}

impl UpTo {
    fn new(feed: Arc<dyn Feed>, limit: Position) -> Arc<Self> {
        Arc::new(Self { feed, limit, head: watch::Sender::new(limit) })
    }
}

impl FeedOver for UpTo {
    fn under(&self) -> &dyn Feed {
        &*self.feed
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let inner = self.feed.subscribe(after).await?;
            let rest = usize::try_from(self.limit - after).unwrap();
            Ok(Box::new(Shown { inner, rest }) as Box<dyn Subscription>)
        })
    }
}

struct Shown {
    inner: Box<dyn Subscription>,
    rest: usize,
}

impl Subscription for Shown {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            if self.rest == 0 {
                return std::future::pending().await;
            }
            let page = self.inner.next(limit.min(self.rest)).await?;
            self.rest -= page.len();
            Ok(page)
        })
    }
}

/// A queue that takes everything and carries out nothing.
struct Nowhere;

impl CommandQueue for Nowhere {
    fn send(&self, _: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Four orders that end in four ways.
async fn four_orders(bench: &Bench) -> Position {
    let running = bench.start().await;
    let methods = ["pm_ok", "pm_declined", "pm_capture_refused", "pm_ok"];
    for (number, method) in methods.into_iter().enumerate() {
        bench.shop.place(&format!("o{number}"), method, 1).await;
    }
    running.until_saga("order-o1", "compensated", "finish").await;
    for number in [0, 2, 3] {
        running.until_saga(&format!("order-o{number}"), "waiting", "complete_order").await;
    }
    bench.shop.ship("o2").await;
    bench.shop.ship("o0").await;
    bench.shop.deliver("o0").await;
    running.until_saga("order-o0", "completed", "complete_order").await;
    running
        .until("one needs attention", |status| {
            status.sagas.get(&domain::sagas::SagaState::NeedsAttention) == Some(&1)
        })
        .await;
    let head = *bench.shop.log.head().borrow();
    running.until_position(head).await;
    running.orchestrator.kill().await;
    head
}

on_both! {
    a_crash_after_any_commit_gives_the_same_sagas,
    the_size_of_the_pages_changes_nothing,
    commits_that_the_database_lost_under_a_running_orchestrator_are_made_again,
    an_orchestrator_killed_again_and_again_still_brings_every_order_to_its_end,
}

async fn a_crash_after_any_commit_gives_the_same_sagas(mut bench: Bench) {
    let head = four_orders(&bench).await;
    bench.queue = Arc::new(Nowhere);
    let at = |name: &str| Settings { location: bench.location(name), ..bench.settings() };

    let uninterrupted = bench.start_with(at("whole"), bench.feed()).await;
    uninterrupted.until_position(head).await;
    let expected = uninterrupted.everything().await;
    assert_eq!(expected.len(), 4);

    for position in 1..=head {
        let feed = UpTo::new(bench.feed(), position);
        let running = bench.start_with(at("crashed"), feed).await;
        running.until_position(position).await;
        for saga in running.everything().await {
            assert_ne!(saga["waiting_for"], "", "{saga}");
        }
        running.orchestrator.kill().await;
    }
    let running = bench.start_with(at("crashed"), bench.feed()).await;
    running.until_position(head).await;
    assert_eq!(running.everything().await, expected);
}

async fn the_size_of_the_pages_changes_nothing(mut bench: Bench) {
    let head = four_orders(&bench).await;
    bench.queue = Arc::new(Nowhere);
    let mut outcomes = Vec::new();
    for batch in [1, 7, 1_000] {
        let location = bench.location(&format!("pages_of_{batch}"));
        let settings = Settings { location, batch, cached_orders: 2, ..bench.settings() };
        let running = bench.start_with(settings, bench.feed()).await;
        running.until_position(head).await;
        outcomes.push(running.everything().await);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0], outcomes[2]);
}

async fn commits_that_the_database_lost_under_a_running_orchestrator_are_made_again(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    let store = Store::open(&bench.location("sagas"), Durability::Full, 1).await.unwrap();
    let tables = ["sagas", "outbox", "checkpoint"];
    let mut keeping = store.begin().await.unwrap();
    for copy in tables.map(|table| format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")) {
        keeping.query(&*copy.leak()).execute().await.unwrap();
    }
    keeping.commit().await.unwrap();
    bench.shop.place("o2", "pm_ok", 1).await;
    running.until_saga("order-o2", "waiting", "complete_order").await;
    let before = *bench.shop.log.head().borrow();

    // As after a crash: the last commits are gone, each whole.
    let mut losing = store.begin().await.unwrap();
    for table in tables {
        let empty = format!("DELETE FROM {table}").leak();
        losing.query(&*empty).execute().await.unwrap();
        let refill = format!("INSERT INTO {table} SELECT * FROM kept_{table}").leak();
        losing.query(&*refill).execute().await.unwrap();
    }
    losing.commit().await.unwrap();

    bench.shop.place("o3", "pm_ok", 1).await;
    running.until_saga("order-o3", "waiting", "complete_order").await;
    running.until_saga("order-o2", "waiting", "complete_order").await;
    let after = bench.shop.log.read_all(before, 1_000).await.unwrap();
    let again = after.iter().filter(|event| event.stream.contains("o2")).count();
    assert_eq!(again, 0, "nothing of what was done is done again");
    store.close().await;
}

async fn an_orchestrator_killed_again_and_again_still_brings_every_order_to_its_end(bench: Bench) {
    for number in 0..10 {
        bench.shop.place(&format!("o{number}"), "pm_ok", 1).await;
    }
    let settings = || Settings { batch: 3, ..bench.settings() };
    for _ in 0..15 {
        let before = *bench.shop.log.head().borrow();
        let running = bench.start_with(settings(), bench.feed()).await;
        let goes_on = |status: &saga_orchestrator::Status| status.position > before;
        let done = |status: &saga_orchestrator::Status| {
            status.sagas.get(&domain::sagas::SagaState::Waiting) == Some(&10)
        };
        running.until("it goes on", |status| goes_on(status) || done(status)).await;
        running.orchestrator.kill().await;
    }
    let running = bench.start_with(settings(), bench.feed()).await;
    for number in 0..10 {
        let id = format!("order-o{number}");
        running.until_saga(&id, "waiting", "complete_order").await;
    }
}
