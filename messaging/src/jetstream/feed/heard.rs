//! What the log's owner announced, as far as it was heard here.
//!
//! **Invariant:** within one epoch the head never goes back, however late an announcement arrives. After a silence only an
//! answer to a question makes the head known again: an announcement may have been under way all the while.

use std::sync::Arc;
use std::time::Duration;

use event_store::{LogIdentity, Position};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::feed::Freshness;
use crate::jetstream::announcements::{Announcement, EVERY};
use crate::jetstream::carrier::Carrier;
use crate::jetstream::history::{HistoryClient, HistoryError};

/// After this much silence nobody knows how fresh a model is.
const SILENCE: Duration = Duration::from_secs(5);

/// What was heard last.
pub(super) struct Heard {
    last: watch::Sender<(Announcement, Instant)>,
    head: watch::Sender<Position>,
    freshness: watch::Sender<Freshness>,
}

impl Heard {
    pub(super) fn new(first: Announcement, freshness: Freshness) -> Arc<Self> {
        let head = watch::Sender::new(first.head);
        let last = watch::Sender::new((first, Instant::now()));
        Arc::new(Self { last, head, freshness: watch::Sender::new(freshness) })
    }

    pub(super) fn identity(&self) -> LogIdentity {
        self.last.borrow().0.log.clone()
    }

    /// The last position that is known to be in the log.
    pub(super) fn head(&self) -> Position {
        *self.head.borrow()
    }

    pub(super) fn heads(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    pub(super) fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }

    /// Takes what an announcement says, unless it is older than what is known; whether it did.
    pub(super) fn take(&self, announcement: &Announcement) -> bool {
        let mut begun_anew = false;
        let taken = self.last.send_if_modified(|(known, at)| {
            let other = known.log.log != announcement.log.log;
            if !other && announcement.log.epoch < known.log.epoch {
                return false;
            }
            begun_anew = known.log != announcement.log;
            if other {
                tracing::error!(known = %known.log.log, told = %announcement.log.log, "another log is announced now");
            }
            *at = Instant::now();
            if begun_anew || announcement.head >= known.head {
                known.clone_from(announcement);
            }
            true
        });
        if taken {
            self.rise(announcement.head, begun_anew);
        }
        taken
    }

    /// An event of this position was seen, so the log is at least that long.
    pub(super) fn seen(&self, position: Position) {
        self.rise(position, false);
    }

    fn rise(&self, position: Position, even_down: bool) {
        self.head.send_if_modified(|head| {
            let changes = position > *head || (even_down && position != *head);
            if changes {
                *head = position;
            }
            changes
        });
    }

    /// Listens for as long as it is polled.
    pub(super) async fn listen(self: Arc<Self>, carrier: Arc<dyn Carrier>, history: HistoryClient) {
        loop {
            if let Ok(mut told) = carrier.announcements().await {
                let mut ticks = tokio::time::interval(EVERY);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    tokio::select! {
                        biased;
                        _ = ticks.tick() => self.look_at_the_clock(&history).await,
                        message = told.next() => {
                            let Some(message) = message else { break };
                            match serde_json::from_slice(&message) {
                                Ok(announcement) => {
                                    self.take(&announcement);
                                }
                                Err(error) => tracing::warn!(%error, "an announcement can't be read"),
                            }
                        }
                    }
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look_at_the_clock(&self, history: &HistoryClient) {
        let silent_for = self.last.borrow().1.elapsed();
        if silent_for > SILENCE && *self.freshness.borrow() == Freshness::Known {
            tracing::warn!("the log's owner is silent: it is not known how far the log is");
            self.freshness.send_replace(Freshness::Unknown);
        }
        if silent_for > EVERY * 2 || *self.freshness.borrow() == Freshness::Unknown {
            // No answer is no news: it is asked again with the next tick.
            let _ = tokio::time::timeout(EVERY, self.ask(history)).await;
        }
    }

    /// Asks the log's owner how far it is.
    pub(super) async fn ask(&self, history: &HistoryClient) -> Result<(), HistoryError> {
        if self.take(&history.head().await?) {
            // The head rose before: whoever sees that it is known sees it as it is now.
            let again = self.freshness.send_if_modified(|is| {
                std::mem::replace(is, Freshness::Known) == Freshness::Unknown
            });
            if again {
                tracing::info!(head = self.head(), "the log's owner is heard");
            }
        }
        Ok(())
    }
}
