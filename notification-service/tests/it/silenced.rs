//! A feed that hears nothing of the log any more.

use std::sync::Arc;

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use messaging::feed::{Feed, FeedError, Freshness, Subscription};
use tokio::sync::watch;

/// It says that it does not know how far the log is when it was told to.
pub(crate) struct Silenced {
    inner: Arc<dyn Feed>,
    freshness: watch::Sender<Freshness>,
}

impl Silenced {
    pub(crate) fn over(inner: Arc<dyn Feed>) -> Arc<Self> {
        Arc::new(Self { inner, freshness: watch::Sender::new(Freshness::Known) })
    }

    pub(crate) fn hears(&self, freshness: Freshness) {
        self.freshness.send_replace(freshness);
    }
}

impl Feed for Silenced {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        self.inner.subscribe(after)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        self.inner.read_all(after, limit)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        self.inner.read_stream(stream, after, limit)
    }
}
