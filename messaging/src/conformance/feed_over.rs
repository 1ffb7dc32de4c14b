//! For doubles in tests: a feed that is another one, but for what it says itself.

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::feed::{Feed, FeedError, Freshness, Subscription};

/// A feed over another one, which answers whatever is not said here.
pub trait FeedOver: Send + Sync + 'static {
    /// The other one.
    fn under(&self) -> &dyn Feed;

    /// As [`Feed::identity`].
    fn identity(&self) -> LogIdentity {
        self.under().identity()
    }

    /// As [`Feed::head`].
    fn head(&self) -> watch::Receiver<Position> {
        self.under().head()
    }

    /// As [`Feed::freshness`].
    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.under().freshness()
    }

    /// As [`Feed::subscribe`].
    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        self.under().subscribe(after)
    }
}

impl<F: FeedOver> Feed for F {
    fn identity(&self) -> LogIdentity {
        FeedOver::identity(self)
    }

    fn head(&self) -> watch::Receiver<Position> {
        FeedOver::head(self)
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        FeedOver::freshness(self)
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        FeedOver::subscribe(self, after)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        self.under().read_all(after, limit)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        self.under().read_stream(stream, after, limit)
    }
}
