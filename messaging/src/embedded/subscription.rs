//! A reader of the log that waits for the head and fetches one page ahead while its consumer works.
//!
//! **Invariant:** `last` only moves over events that follow it without a gap, and only when they are handed out. So a
//! failed or cancelled `next` loses nothing: the next one reads the same positions again.

use std::sync::Arc;

use event_store::{EventLog, Position, RecordedEvent, StoreError};
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::feed::unavailable;
use crate::feed::{FeedError, Subscription};

/// The log answered with something else than the events that follow.
#[derive(Debug, thiserror::Error)]
enum BrokenPage {
    #[error("the log's head is {head}, but nothing was read after position {after}")]
    Empty { after: Position, head: Position },
    #[error("after position {after} the log gave {found}")]
    Gap { after: Position, found: Position },
    #[error("the log was closed")]
    Closed,
    #[error("the reader of the next page ended early")]
    Reader(#[source] tokio::task::JoinError),
}

impl From<BrokenPage> for FeedError {
    fn from(cause: BrokenPage) -> Self {
        Self::Unavailable(Box::new(cause))
    }
}

pub(super) struct LogSubscription {
    log: Arc<dyn EventLog>,
    head: watch::Receiver<Position>,
    /// The last position handed out.
    last: Position,
    ahead: Option<ReadAhead>,
}

impl LogSubscription {
    pub(super) fn new(log: Arc<dyn EventLog>, after: Position) -> Self {
        let head = log.head();
        Self { log, head, last: after, ahead: None }
    }

    async fn next_page(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, FeedError> {
        if let Some(ahead) = &mut self.ahead {
            // Awaited in place: were this call cancelled here, the page would still be there for the next one.
            let read = (&mut ahead.page).await;
            self.ahead = None;
            let mut page = read.map_err(BrokenPage::Reader)?.map_err(unavailable)?;
            page.truncate(limit);
            return Ok(page);
        }
        let last = self.last;
        self.head.wait_for(|head| *head > last).await.map_err(|_| BrokenPage::Closed)?;
        self.log.read_all(last, limit).await.map_err(unavailable)
    }

    fn check(&self, page: &[RecordedEvent]) -> Result<Position, BrokenPage> {
        let mut last = self.last;
        for event in page {
            if event.position != last + 1 {
                return Err(BrokenPage::Gap { after: last, found: event.position });
            }
            last = event.position;
        }
        if last == self.last {
            return Err(BrokenPage::Empty { after: last, head: *self.head.borrow() });
        }
        Ok(last)
    }

    fn read_ahead(&mut self, limit: usize) {
        if *self.head.borrow() > self.last {
            let (log, after) = (Arc::clone(&self.log), self.last);
            let page = tokio::spawn(async move { log.read_all(after, limit).await });
            self.ahead = Some(ReadAhead { page });
        }
    }
}

impl Subscription for LogSubscription {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Arc<[RecordedEvent]>, FeedError>> {
        Box::pin(async move {
            let limit = limit.max(1);
            let page = self.next_page(limit).await?;
            self.last = self.check(&page)?;
            self.read_ahead(limit);
            Ok(page.into())
        })
    }
}

/// The page after the one that the consumer works on. One is enough: it bounds memory, and hides the read.
struct ReadAhead {
    page: JoinHandle<Result<Vec<RecordedEvent>, StoreError>>,
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.page.abort();
    }
}
