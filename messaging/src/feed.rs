//! The feed: every event of the log, in position order, from wherever the consumer's own checkpoint stands.

use std::sync::Arc;

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use tokio::sync::watch;
use uuid::Uuid;

/// Why the feed can't go on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The source can't be reached now; subscribe again later.
    #[error("the feed of events can't be read now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The position that the consumer stands at is not in this history.
    #[error("what stands at position {position} is not in this history, whose head is {head}")]
    AnotherHistory {
        /// Where the consumer stands.
        position: Position,
        /// Where the log ends.
        head: Position,
    },
}

/// Where a consumer stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The last position that it processed; 0 when there is none.
    pub position: Position,
    /// The event there, if it kept its id: so that another history of the same length is noticed.
    pub event_id: Option<Uuid>,
}

/// Whether it is known how far the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The log's owner told within the last seconds.
    Known,
    /// It is silent, or can't be reached: there may be events that nobody here knows of.
    Unknown,
}

/// Where services read events.
pub trait Feed: Send + Sync + 'static {
    /// Which log is read.
    fn identity(&self) -> LogIdentity;

    /// The last position known, as it rises.
    fn head(&self) -> watch::Receiver<Position>;

    /// Whether it is known how far the log is, as it changes. When it is known again, the head is that of then.
    fn freshness(&self) -> watch::Receiver<Freshness>;

    /// Starts after a position.
    fn subscribe(&self, after: Position)
    -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>>;

    /// Starts after a place, provided that the log still has the event that the consumer saw there.
    fn subscribe_from(
        &self,
        place: Place,
    ) -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>> {
        Box::pin(async move {
            let Place { position, event_id } = place;
            if let (Some(id), Some(before)) = (event_id, position.checked_sub(1)) {
                let there = self.read_all(before, 1).await?;
                if there.first().is_none_or(|event| event.id != id) {
                    let head = *self.head().borrow();
                    return Err(FeedError::AnotherHistory { position, head });
                }
            }
            self.subscribe(position).await
        })
    }

    /// Reads history: at most `limit` events after a position, contiguous.
    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, FeedError>>;

    /// Reads history: at most `limit` events of a stream after a version.
    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, FeedError>>;
}

/// A reader of the feed. Dropping it ends it; the consumer's checkpoint is the consumer's own.
pub trait Subscription: Send {
    /// The next events, at least one and at most `limit`: waits until there are some. Contiguous with what it gave last.
    ///
    /// Given up in the middle, it loses nothing: the next call gives the same positions. So does a call after an error.
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>>;
}
