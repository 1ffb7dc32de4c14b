//! Whether a checkpoint is a place in the history that the feed gives.

use std::time::Duration;

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
    let position = checkpoint.position;
    let head = *feed.head().borrow();
    if position > head {
        return Some(format!("the model stands beyond the log's head {head}: build it anew"));
    }
    if position == 0 {
        return None;
    }
    loop {
        match feed.read_all(position - 1, 1).await {
            Ok(events) if events.first().map(|event| event.id) == checkpoint.event_id => {
                return None;
            }
            Ok(_) => {
                return Some("another event stands at the model's position: build it anew".into());
            }
            Err(error) => {
                tracing::warn!(%error, "the feed can't be read; it is asked again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
