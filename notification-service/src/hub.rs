//! Public events as they happen, for whoever listens now.
//!
//! **Invariant:** bounded: who is too slow misses events and hears that he did; nobody waits for him.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::public::CloudEvent;

/// Events that a slow listener may be behind.
const BEHIND: usize = 1_024;

/// Where events are told to listeners.
#[derive(Debug, Clone)]
pub(crate) struct Hub(broadcast::Sender<Arc<CloudEvent>>);

/// Somebody who listens.
pub(crate) struct Listener(broadcast::Receiver<Arc<CloudEvent>>);

/// The listener was too slow, and missed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missed;

impl Hub {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }

    /// Whether anybody listens.
    pub(crate) fn is_listened_to(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, event: Arc<CloudEvent>) {
        // Nobody may listen any more.
        let _ = self.0.send(event);
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// The next event; `None` when there will be no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<CloudEvent>>, Missed> {
        match self.0.recv().await {
            Ok(event) => Ok(Some(event)),
            Err(RecvError::Closed) => Ok(None),
            Err(RecvError::Lagged(_)) => Err(Missed),
        }
    }
}
