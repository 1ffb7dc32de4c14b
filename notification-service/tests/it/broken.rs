//! A mistake of our own: a task that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_store::Position;
use futures::future::BoxFuture;
use messaging::conformance::FeedOver;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::{Feed, FeedError, Subscription};
use notification_service::Phase;
use service_kit::clock::{self, Clock};
use storage::{Lease, LeaseSettings, Store};

use crate::bench::{Bench, PATIENCE, Running};

/// Nobody can follow it.
struct Wrong(Arc<dyn Feed>);

impl FeedOver for Wrong {
    fn under(&self) -> &dyn Feed {
        &*self.0
    }

    fn subscribe(
        &self,
        _after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async { panic!("as a mistake does") })
    }
}

/// It says so, gives its lease back, and can be ended.
async fn breaks_off(bench: &Bench, running: Running) {
    tokio::time::timeout(PATIENCE, running.service.broken()).await.expect("it is told");
    assert_eq!(running.service.status().phase, Phase::Broken);
    let store = Store::open(&bench.location(), storage::Durability::Full, 1).await.unwrap();
    let lease = Lease::shared(store.clone(), LeaseSettings::new("notification-service", "next"));
    let next = tokio::time::timeout(PATIENCE / 4, lease.await.unwrap().acquire()).await;
    next.expect("its lease is free").give_back().await;
    assert_eq!(running.service.status().phase, Phase::Broken, "to the end");
    store.close().await;
    running.service.shutdown().await;
}

#[tokio::test]
async fn when_the_reader_panics_all_ends_and_says_so() {
    let Some(bench) = Bench::on_postgres() else { return };
    let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&bench.log.events) as _));
    let settings = bench.leased();
    let running = bench.start_over(Arc::new(Wrong(feed)), settings, clock::system()).await;
    breaks_off(&bench, running).await;
}

#[tokio::test]
async fn when_the_dispatcher_panics_all_ends_and_says_so() {
    let Some(bench) = Bench::on_postgres() else { return };
    let (is_wrong, now) = (Arc::new(AtomicBool::new(false)), clock::system());
    let wrong = Arc::clone(&is_wrong);
    let clock: Clock = Arc::new(move || {
        assert!(!wrong.load(Ordering::Relaxed), "as a mistake does");
        now()
    });
    let running = bench.start_by(&bench.log, bench.leased(), clock).await;
    running.until_live().await;
    is_wrong.store(true, Ordering::Relaxed);
    breaks_off(&bench, running).await;
}
