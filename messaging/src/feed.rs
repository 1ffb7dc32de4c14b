//! The feed: every event of the log, in position order, from wherever the consumer's own checkpoint stands.

use std::sync::Arc;

use event_store::{LogIdentity, Position, RecordedEvent, StreamId, Version};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// Why the feed can't go on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The source can't be reached now; subscribe again later.
    #[error("the feed of events can't be read now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The position that the consumer stands at is not in this history.
    #[error("position {position} is beyond the log's head {head}: this is another history")]
    AnotherHistory {
        /// Where the consumer stands.
        position: Position,
        /// Where the log ends.
        head: Position,
    },
}

/// Where services read events.
pub trait Feed: Send + Sync + 'static {
    /// Which log is read.
    fn identity(&self) -> LogIdentity;

    /// The last position known, as it rises.
    fn head(&self) -> watch::Receiver<Position>;

    /// Starts after a position.
    fn subscribe(&self, after: Position)
    -> BoxFuture<'_, Result<Box<dyn Subscription>, FeedError>>;

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
