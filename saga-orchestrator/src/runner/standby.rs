//! While another orchestrator is the active one: ask for its lease, and show what it writes.

use std::time::{Duration, Instant};

use ::storage::{Asked, Held, Told};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::action::ActionRequest;
use super::run::{RunError, Runner};
use crate::status::Phase;
use crate::storage::Checkpoint;
use crate::tables::{Rows as _, Tables};

/// How often a standby looks where the active one stands.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The part of a standby's time in which it counts sagas, at most: one in so many.
const COUNTING_IS_ONE_IN: u32 = 100;

impl<T: Tables> Runner<T> {
    /// The lease, as soon as it can be had; `None` when it is stopped before, or stands still.
    pub(super) async fn wait_for_lease(
        &mut self,
        requests: &mut mpsc::Receiver<ActionRequest>,
        stop: &CancellationToken,
    ) -> Option<Held> {
        let first = match self.lease.try_acquire().await {
            Ok(Some(held)) => return Some(held),
            Ok(None) => Asked::AnotherHolds,
            Err(error) => {
                tracing::warn!(%error, "the lease of the sagas can't be asked for");
                Asked::Failed
            }
        };
        self.enter(phase_while(first));
        let (tells, mut asked) = watch::channel(first);
        let told = Told::to(move |outcome| {
            tells.send_if_modified(|last| std::mem::replace(last, outcome) != outcome);
        });
        let lease = self.lease.clone();
        let acquired = lease.acquire_telling(&told);
        tokio::pin!(acquired);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut count_next = Instant::now();
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                held = &mut acquired => return Some(held),
                Ok(()) = asked.changed() => {
                    let outcome = *asked.borrow_and_update();
                    self.enter(phase_while(outcome));
                    Ok(())
                }
                // Answers repeats, and refuses everything else.
                Some(request) = requests.recv() => self.act(request).await,
                _ = looks.tick() => self.look(&mut count_next).await,
            };
            if let Err(error @ RunError::Fault { .. }) = &outcome {
                let phase = self.phase_after(error);
                self.enter(phase);
                return None;
            }
            if let Err(error) = outcome {
                tracing::debug!(%error, "a standby can't read the sagas now");
            }
        }
    }

    /// Reads where the active orchestrator stands. To count sagas takes the longer the more there ever were: it is done again
    /// when the time it took last is a small part of what has passed since.
    ///
    /// Whose sagas these are has to be seen now: of another log's, the active one would be waited for in vain.
    async fn look(&mut self, count_next: &mut Instant) -> Result<(), RunError> {
        let mut reader = self.store.reader().await?;
        let Checkpoint { position, log, .. } = match reader.read_checkpoint().await {
            // The active one has not begun.
            Err(sqlx::Error::RowNotFound) => return Ok(()),
            read => read?,
        };
        self.is_of_this_log(&log, &self.feed.identity())?;
        if position == self.checkpoint.position {
            return Ok(());
        }
        let begun = Instant::now();
        if begun >= *count_next {
            self.sagas = reader.count_states().await?;
            *count_next = Instant::now() + begun.elapsed() * COUNTING_IS_ONE_IN;
        }
        self.checkpoint.position = position;
        self.tell();
        Ok(())
    }
}

/// Only a database that answers can tell that another is the active one.
fn phase_while(asked: Asked) -> Phase {
    match asked {
        Asked::AnotherHolds => Phase::Standby,
        Asked::Failed => Phase::Retrying { cause: "the lease can't be asked for".to_owned() },
    }
}
