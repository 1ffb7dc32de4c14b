//! How far the log is, told to each listener over a channel of its own.
//!
//! Listeners of one channel are woken in an order that is drawn by the runtime; of several, in the order in which they are
//! told.

use std::sync::{Mutex, PoisonError};

use event_store::Position;
use tokio::sync::watch;

/// All who listen.
#[derive(Default)]
pub(crate) struct Heads {
    listeners: Mutex<Vec<watch::Sender<Position>>>,
}

impl Heads {
    /// One more, who knows this head.
    pub(crate) fn listen(&self, head: Position) -> watch::Receiver<Position> {
        let (sender, receiver) = watch::channel(head);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.is_closed());
        listeners.push(sender);
        receiver
    }

    /// The log is this far.
    pub(crate) fn tell(&self, head: Position) {
        for listener in &*self.listeners.lock().unwrap_or_else(PoisonError::into_inner) {
            listener.send_if_modified(|known| {
                let rises = *known < head;
                *known = head.max(*known);
                rises
            });
        }
    }
}
