//! A reader of the feed: takes what its follower has found.
//!
//! **Invariant:** what was taken from the follower is handed out or kept here. So a `next` that is given up loses
//! nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use event_store::{Position, RecordedEvent};
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::follow::Follower;
use crate::feed::{FeedError, Subscription};

/// Parts that wait for the reader. With the bound of each part this bounds memory.
const WAITING: usize = 4;

/// The history that the reader stands in is not the log's any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departed {
    pub(super) position: Position,
    pub(super) head: Position,
}

/// What a follower finds.
pub(super) type Found = Result<Vec<RecordedEvent>, Departed>;

pub(super) struct JetStreamSubscription {
    found: mpsc::Receiver<Found>,
    kept: VecDeque<RecordedEvent>,
    departed: Option<Departed>,
    /// The announcements are heard for as long as anybody reads.
    _listening: Arc<DropGuard>,
}

impl JetStreamSubscription {
    /// The follower ends by itself once this is dropped.
    pub(super) fn start(follower: Follower, listening: Arc<DropGuard>) -> Self {
        let (sender, found) = mpsc::channel(WAITING);
        tokio::spawn(follower.run(sender));
        Self { found, kept: VecDeque::new(), departed: None, _listening: listening }
    }
}

impl Subscription for JetStreamSubscription {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            while self.kept.is_empty() {
                if let Some(Departed { position, head }) = self.departed {
                    return Err(FeedError::AnotherHistory { position, head });
                }
                match self.found.recv().await {
                    Some(Ok(events)) => self.kept.extend(events),
                    Some(Err(departed)) => self.departed = Some(departed),
                    None => {
                        return Err(FeedError::Unavailable("the feed's reader has ended".into()));
                    }
                }
            }
            let events = limit.clamp(1, self.kept.len());
            Ok(self.kept.drain(..events).collect())
        })
    }
}
