//! Whether the log has begun a new epoch, as after a restore: whoever reads it has to look anew where it stands.

use std::sync::Arc;
use std::time::Duration;

use event_store::LogIdentity;
use futures::future::BoxFuture;
use messaging::feed::Feed;

/// How often is looked which epoch it is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Returns when the log has begun a new epoch since this was called. To be called before anything is opened at a place of the feed,
/// and waited for once it is.
pub(super) fn new_epoch(feed: Arc<dyn Feed>) -> BoxFuture<'static, String> {
    begun_anew(move || feed.identity())
}

fn begun_anew(identity: impl Fn() -> LogIdentity + Send + 'static) -> BoxFuture<'static, String> {
    let first = identity();
    Box::pin(async move {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let now = identity();
            if now != first {
                return told_anew(&first, &now);
            }
        }
    })
}

fn told_anew(first: &LogIdentity, now: &LogIdentity) -> String {
    let changed = if now.log == first.log {
        format!("was at epoch {} and is at epoch {}", first.epoch, now.epoch)
    } else {
        format!("was {} and is {}", first.log, now.log)
    };
    format!("the log {changed} now, as after a restore; the next start looks where it stands")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_epoch_that_begins_while_a_service_starts_is_one_that_it_hears_of() {
        let epoch = Arc::new(AtomicU32::new(1));
        let log: Arc<str> = "log".into();
        let known = Arc::clone(&epoch);
        let begun = begun_anew(move || LogIdentity {
            log: Arc::clone(&log),
            epoch: known.load(Ordering::Relaxed),
        });
        // The service opens what it has, one after another; then it waits for what ends it.
        epoch.store(2, Ordering::Relaxed);
        let told = tokio::time::timeout(Duration::from_secs(5), begun).await.unwrap();
        assert!(told.contains("was at epoch 1 and is at epoch 2"), "{told}");
    }
}
