//! Which log this is, as far as this process knows. Another process may raise the epoch.

use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

use crate::head;
use crate::types::{LogIdentity, Position};

/// The identity that was read last.
pub(super) struct Identity(RwLock<LogIdentity>);

impl Identity {
    pub(super) fn new(identity: LogIdentity) -> Self {
        Self(RwLock::new(identity))
    }

    pub(super) fn get(&self) -> LogIdentity {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what was just read. Within an epoch the head only rises; a new one may begin below the old one's end.
    pub(super) fn found(
        &self,
        identity: LogIdentity,
        position: Position,
        head: &watch::Sender<Position>,
    ) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if *known == identity {
            head::raise(head, position);
        } else {
            *known = identity;
            head.send_replace(position);
        }
    }
}
