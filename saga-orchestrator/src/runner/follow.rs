//! Follows the feed in pages: at once whatever there is, in larger pages under load.
//!
//! **Invariant:** given up in the middle, it loses nothing: what was read and not handed out is handed out next.

use std::time::Duration;

use event_store::{Position, RecordedEvent};
use messaging::feed::{FeedError, Subscription};
use tokio::sync::watch;
use tokio::time::Instant;

/// From this many commands on that are on their way there is load: what waits for its turn elsewhere need not go out of here
/// any sooner.
const LOAD: u64 = 256;
/// Under load a page is handed out this often: a commit costs much the same for ten events and for a hundred.
const COLLECT: Duration = Duration::from_millis(15);

/// The feed from a position on.
pub(super) struct Follower {
    subscription: Box<dyn Subscription>,
    head: watch::Receiver<Position>,
    most: usize,
    /// Read, and not handed out yet.
    read: Vec<RecordedEvent>,
    handed_out: Instant,
    /// Whether there is load.
    collects: bool,
}

impl Follower {
    /// Pages of at most `most` events.
    pub(super) fn new(
        subscription: Box<dyn Subscription>,
        head: watch::Receiver<Position>,
        most: usize,
    ) -> Self {
        let (read, handed_out) = (Vec::new(), Instant::now());
        Self { subscription, head, most, read, handed_out, collects: false }
    }

    /// So many commands are on their way.
    pub(super) fn mind(&mut self, commands: u64) {
        self.collects = commands >= LOAD;
    }

    /// The next page.
    pub(super) async fn next(&mut self) -> Result<Vec<RecordedEvent>, FeedError> {
        if self.collects {
            tokio::time::sleep_until(self.handed_out + COLLECT).await;
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
        self.handed_out = Instant::now();
        Ok(std::mem::take(&mut self.read))
    }
}
