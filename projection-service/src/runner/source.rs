//! Reads the feed ahead and decodes it, in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;
use messaging::feed::{Feed, FeedError};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::decoded::{Page, Readers};

/// Events of a page when history is read: rows are then written once for many events.
pub(super) const HISTORY_PAGE: usize = 8_192;
/// Events of a page when the log is followed.
pub(super) const LIVE_PAGE: usize = 1_024;
/// Under load a page is handed out this often: each costs every projector a wake-up. After idleness a page goes out at once.
const SPACING: Duration = Duration::from_millis(2);
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
                biased;
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
    let head = feed.head();
    let mut handed_out: Option<Instant> = None;
    loop {
        let events = subscription.next(LIVE_PAGE).await?;
        let Some(mut page) = readers.decode_live(&events) else { continue };
        if let Some(handed_out) = handed_out {
            sleep_until(handed_out + SPACING).await;
        }
        let known = *head.borrow();
        while page.last() < known && page.ids.len() < LIVE_PAGE {
            // What was read is handed out before a failure is told.
            let Ok(more) = subscription.next(LIVE_PAGE - page.ids.len()).await else { break };
            page.extend(readers.decode_live(&more));
        }
        *at = page.last();
        handed_out = Some(Instant::now());
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
