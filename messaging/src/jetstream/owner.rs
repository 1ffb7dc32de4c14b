//! The log's owner: the active command-service, which alone publishes and announces.

use std::sync::Arc;

use event_store::{EventLog, LogIdentity, Position, RecordedEvent, StoreError};
use futures::future::BoxFuture;
use tokio::sync::watch;

use super::trouble::{Cause, Trouble};

/// Who keeps a log's epoch: its database.
pub trait EpochKeeper: Send + Sync + 'static {
    /// The identity as it is in the database now.
    fn current(&self) -> BoxFuture<'_, Result<LogIdentity, Cause>>;

    /// Raises the epoch above the log's own and above `seen`, for good, and gives the new identity. Whoever does not
    /// own the log any more fails here.
    fn raise_above<'a>(
        &'a self,
        seen: u32,
        why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Cause>>;
}

/// A log, with who keeps its epoch. Relay, announcer and history share one.
pub struct OwnedLog {
    pub(super) log: Arc<dyn EventLog>,
    epochs: Arc<dyn EpochKeeper>,
    identity: watch::Sender<LogIdentity>,
    /// Whether the relay has compared the log with the stream, and raised the epoch if it had to be.
    inspected: watch::Sender<bool>,
}

impl OwnedLog {
    /// The log that this process owns.
    pub fn new(log: Arc<dyn EventLog>, epochs: Arc<dyn EpochKeeper>) -> Arc<Self> {
        let identity = watch::Sender::new(log.identity());
        Arc::new(Self { log, epochs, identity, inspected: watch::Sender::new(false) })
    }

    /// Which log it is, as it changes.
    pub fn identity(&self) -> watch::Receiver<LogIdentity> {
        self.identity.subscribe()
    }

    /// Returns when the epoch is known to be that of the log as it is, and not as a backup has it.
    pub(super) async fn inspected(&self) {
        // It lives as long as this.
        let _ = self.inspected.subscribe().wait_for(|inspected| *inspected).await;
    }

    pub(super) fn was_inspected(&self) {
        self.inspected.send_replace(true);
    }

    pub(super) fn known_identity(&self) -> LogIdentity {
        self.identity.borrow().clone()
    }

    /// The identity from the database: another process may have raised the epoch meanwhile.
    pub(super) async fn current_identity(&self) -> Result<LogIdentity, Trouble> {
        let identity = self.epochs.current().await.map_err(Trouble::Epoch)?;
        self.take(&identity);
        Ok(identity)
    }

    pub(super) async fn raise_epoch(&self, seen: u32, why: &str) -> Result<LogIdentity, Trouble> {
        let identity = self.epochs.raise_above(seen, why).await.map_err(Trouble::Epoch)?;
        tracing::error!(
            log = %identity.log, epoch = identity.epoch, why,
            "the log's history is no continuation of what was seen before: its epoch was raised, and every read \
             model checks whether it still stands on this history"
        );
        self.take(&identity);
        Ok(identity)
    }

    fn take(&self, identity: &LogIdentity) {
        self.identity.send_if_modified(|known| {
            let changed = known != identity;
            if changed {
                known.clone_from(identity);
            }
            changed
        });
    }

    /// The event at a position, read from the database itself.
    pub(super) async fn event_at(
        &self,
        position: Position,
    ) -> Result<Option<RecordedEvent>, StoreError> {
        let Some(before) = position.checked_sub(1) else { return Ok(None) };
        Ok(self.log.read_all(before, 1).await?.pop())
    }

    pub(super) fn head(&self) -> Position {
        *self.log.head().borrow()
    }
}
