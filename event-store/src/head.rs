//! The announced head: how far readers may look. It only rises.

use tokio::sync::watch;

use crate::types::Position;

/// Raises the head and wakes its watchers; a lower position changes nothing.
pub(crate) fn raise(head: &watch::Sender<Position>, position: Position) {
    head.send_if_modified(|head| {
        let rises = *head < position;
        if rises {
            *head = position;
        }
        rises
    });
}
