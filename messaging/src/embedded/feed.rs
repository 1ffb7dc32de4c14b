//! The feed of one process: a thin reader over the log.

use std::sync::Arc;

use event_store::{EventLog, LogIdentity, Position, RecordedEvent, StoreError, StreamId, Version};
use futures::future::BoxFuture;
use tokio::sync::watch;

use super::subscription::LogSubscription;
use crate::feed::{Feed, FeedError, Freshness, Subscription};

/// Reads the log of the same process.
#[derive(Clone)]
pub struct EmbeddedFeed {
    log: Arc<dyn EventLog>,
    freshness: watch::Sender<Freshness>,
}

impl EmbeddedFeed {
    /// A feed of this log.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, freshness: watch::Sender::new(Freshness::Known) }
    }
}

impl Feed for EmbeddedFeed {
    fn identity(&self) -> LogIdentity {
        self.log.identity()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.log.head()
    }

    /// The log is here: always known.
    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    fn subscribe(
        &self,
        after: Position,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let head = *self.log.head().borrow();
            if after > head {
                return Err(FeedError::AnotherHistory { position: after, head });
            }
            let subscription = LogSubscription::new(Arc::clone(&self.log), after);
            Ok(Box::new(subscription) as Box<dyn Subscription>)
        })
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(async move { self.log.read_all(after, limit).await.map_err(unavailable) })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>> {
        Box::pin(
            async move { self.log.read_stream(stream, after, limit).await.map_err(unavailable) },
        )
    }
}

pub(super) fn unavailable(error: StoreError) -> FeedError {
    FeedError::Unavailable(Box::new(error))
}
