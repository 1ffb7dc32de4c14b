//! Reads the feed ahead and decodes it, in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;
use messaging::feed::{Feed, FeedError};
use tokio::sync::mpsc;

use crate::decoded::{Page, Readers};

/// Events of a page when history is read: rows are then written once for many events.
pub(super) const HISTORY_PAGE: usize = 8_192;
/// Events of a page when the log is followed.
pub(super) const LIVE_PAGE: usize = 4_096;
/// Pages read ahead.
const AHEAD: usize = 2;
/// How long to wait before the feed is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// Every page after a position, for ever. Ends when the receiver is dropped.
pub(super) fn follow(
    feed: Arc<dyn Feed>,
    readers: Readers,
    after: Position,
) -> mpsc::Receiver<Arc<Page>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut at = after;
        loop {
            let reading = read_on(&*feed, &readers, &mut at, &sender);
            let ended = tokio::select! {
                () = sender.closed() => return,
                ended = reading => ended,
            };
            let Err(error) = ended else { return };
            tracing::warn!(%error, position = at, "the feed can't be read; it is asked again");
            tokio::time::sleep(RETRY).await;
        }
    });
    receiver
}

async fn read_on(
    feed: &dyn Feed,
    readers: &Readers,
    at: &mut Position,
    pages: &mpsc::Sender<Arc<Page>>,
) -> Result<(), FeedError> {
    let mut subscription = feed.subscribe(*at).await?;
    loop {
        let events = subscription.next(LIVE_PAGE).await?;
        let Some(page) = readers.decode(&events) else { continue };
        *at = page.last();
        if pages.send(Arc::new(page)).await.is_err() {
            return Ok(());
        }
    }
}

/// The pages of history from after `after` up to `to`. Ends with an error when the feed fails.
pub(super) fn history(
    feed: Arc<dyn Feed>,
    readers: Readers,
    after: Position,
    to: Position,
) -> mpsc::Receiver<Result<Arc<Page>, FeedError>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut at = after;
        while at < to {
            let limit = usize::try_from(to - at).unwrap_or(HISTORY_PAGE).min(HISTORY_PAGE);
            let page = match feed.read_all(at, limit).await {
                Ok(events) => readers.decode(&events),
                Err(error) => {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            };
            let Some(page) = page else {
                let _ =
                    sender.send(Err(FeedError::AnotherHistory { position: to, head: at })).await;
                return;
            };
            at = page.last();
            if sender.send(Ok(Arc::new(page))).await.is_err() {
                return;
            }
        }
    });
    receiver
}
