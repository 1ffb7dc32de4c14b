//! Whether a checkpoint is a place in the history that the feed gives.

use std::time::Duration;

use event_store::RecordedEvent;
use messaging::feed::Feed;

use crate::storage::checkpoint::Checkpoint;

/// How long to wait before the feed is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// Why the checkpoint is no place in the feed's history; `None` when it is one. Waits until the feed can be read.
pub(super) async fn foreign(feed: &dyn Feed, checkpoint: &Checkpoint) -> Option<String> {
    let (mine, its) = (&checkpoint.identity, feed.identity());
    if *mine != its {
        return Some(format!(
            "the model is of log {} epoch {}, the feed of log {} epoch {}: build it anew",
            mine.log, mine.epoch, its.log, its.epoch
        ));
    }
    let before = checkpoint.position.checked_sub(1)?;
    loop {
        // Only the log itself tells where it ends: the head that was heard last may be older than an event that came by the stream.
        match feed.read_all(before, 1).await {
            Ok(events) => return differs(events.first(), checkpoint),
            Err(error) => {
                tracing::warn!(%error, "the feed can't be read; it is asked again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Why this event, which stands in the log where the checkpoint is, is not the one that the model read there.
fn differs(found: Option<&RecordedEvent>, checkpoint: &Checkpoint) -> Option<String> {
    match found {
        Some(event) if Some(event.id) == checkpoint.event_id => None,
        Some(_) => Some("another event stands at the model's position: build it anew".into()),
        None => {
            let position = checkpoint.position;
            Some(format!("the model stands at {position}, beyond the log's end: build it anew"))
        }
    }
}
