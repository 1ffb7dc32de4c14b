//! Follows the feed in pages that are worth a commit: at once when little happens, in larger pages under load.
//!
//! **Invariant:** given up in the middle, it loses nothing: what was read and not handed out is handed out next.

use std::time::Duration;

use event_store::{Position, RecordedEvent};
use messaging::feed::{FeedError, Subscription};
use tokio::sync::watch;
use tokio::time::Instant;

/// From this many events in a page on there is load.
const LOAD: usize = 32;
/// Under load a page is handed out this often: a commit costs much the same for ten events and for a hundred.
const COLLECT: Duration = Duration::from_millis(15);

/// The feed from a position on.
pub(super) struct Follower {
    subscription: Box<dyn Subscription>,
    head: watch::Receiver<Position>,
    most: usize,
    /// Read, and not handed out yet.
    read: Vec<RecordedEvent>,
    /// When the next page goes out, under load.
    due: Option<Instant>,
}

impl Follower {
    /// Pages of at most `most` events.
    pub(super) fn new(
        subscription: Box<dyn Subscription>,
        head: watch::Receiver<Position>,
        most: usize,
    ) -> Self {
        Self { subscription, head, most, read: Vec::new(), due: None }
    }

    /// The next page.
    pub(super) async fn next(&mut self) -> Result<Vec<RecordedEvent>, FeedError> {
        if let Some(due) = self.due {
            tokio::time::sleep_until(due).await;
        }
        loop {
            let known = *self.head.borrow();
            let last = self.read.last().map_or(0, |event| event.position);
            if self.read.len() >= self.most || (!self.read.is_empty() && last >= known) {
                break;
            }
            match self.subscription.next(self.most - self.read.len()).await {
                Ok(events) => self.read.extend_from_slice(&events),
                // What was read is handed out before a failure is told.
                Err(_) if !self.read.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        self.due = (self.read.len() >= LOAD).then(|| Instant::now() + COLLECT);
        Ok(std::mem::take(&mut self.read))
    }
}
