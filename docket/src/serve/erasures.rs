//! Forgets the keys of people who are erased, as soon as the feed tells: the vault holds keys for minutes.

use std::sync::Arc;
use std::time::Duration;

use command_service::erased_person;
use event_store::keys::Vault;
use messaging::feed::{Feed, FeedError};

/// After trouble, the feed is taken up again after this time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Longer than it takes from an erasure's event to the end of the key, when nothing is in the way.
const DESTROYED_WITHIN: Duration = Duration::from_secs(10);
/// Events that are looked at together.
const PART: usize = 1_000;

/// Follows the feed for as long as the process lives. What was erased before its start was never held.
pub(super) async fn follow(feed: Arc<dyn Feed>, vault: Arc<Vault>) {
    let mut after = *feed.head().borrow();
    loop {
        if let Err(error) = follow_from(&*feed, &vault, &mut after).await {
            tracing::info!(%error, "erasures can't be followed now");
            if let FeedError::AnotherHistory { head, .. } = error {
                after = head;
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn follow_from(
    feed: &dyn Feed,
    vault: &Arc<Vault>,
    after: &mut u64,
) -> Result<(), FeedError> {
    let mut subscription = feed.subscribe(*after).await?;
    loop {
        for event in subscription.next(PART).await?.iter() {
            *after = event.position;
            if let Some(person) = erased_person(event) {
                tokio::spawn(forget(Arc::clone(vault), person.to_owned()));
            }
        }
    }
}

/// The key is destroyed a moment after the event: one that was read in between is forgotten too.
async fn forget(vault: Arc<Vault>, person: String) {
    vault.forget(&person);
    tokio::time::sleep(DESTROYED_WITHIN).await;
    vault.forget(&person);
}
