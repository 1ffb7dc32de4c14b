//! The feed as one orchestrator reaches it: the real one over its own way to the log, with pages that fail and silences.

use std::sync::Arc;

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::{Feed, FeedError, Freshness, Subscription};
use tokio::sync::watch;

use super::log::FaultyLog;
use crate::weather::Mishap;

/// A feed that fails.
pub(crate) struct FaultyFeed {
    feed: EmbeddedFeed,
    log: FaultyLog,
    freshness: watch::Sender<Freshness>,
}

impl FaultyFeed {
    pub(crate) fn new(log: FaultyLog) -> Self {
        let feed = EmbeddedFeed::new(Arc::new(log.clone()));
        Self { feed, log, freshness: watch::Sender::new(Freshness::Known) }
    }

    /// Whether it is known how far the log is.
    pub(crate) fn hears(&self, freshness: Freshness) {
        self.freshness.send_replace(freshness);
    }
}

impl Feed for FaultyFeed {
    fn identity(&self) -> LogIdentity {
        self.feed.identity()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.feed.head()
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let subscription = self.feed.subscribe(after).await?;
            let log = self.log.clone();
            Ok(Box::new(FaultySubscription { subscription, log }) as Box<dyn Subscription>)
        })
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        self.feed.read_all(after, limit)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        self.feed.read_stream(stream, after, limit)
    }
}

struct FaultySubscription {
    subscription: Box<dyn Subscription>,
    log: FaultyLog,
}

impl Subscription for FaultySubscription {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            self.log.process.pass().await;
            if self.log.weather.strikes(Mishap::FeedFails) {
                return Err(FeedError::Unavailable("the page is lost".into()));
            }
            // Small pages now and then: what belongs together comes apart.
            let limit = if self.log.weather.draw(|rng| rng.chance(300)) { 1 } else { limit };
            self.subscription.next(limit).await
        })
    }
}
