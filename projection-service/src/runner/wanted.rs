//! Positions of a projector that reads wait for.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_store::Position;
use tokio::sync::Notify;

/// How many reads wait for each position.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    reads: Mutex<BTreeMap<Position, usize>>,
    changed: Notify,
}

/// One read that waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wants {
    of: Arc<Wanted>,
    position: Position,
}

impl Wanted {
    /// A read waits for this position.
    pub(super) fn want(self: &Arc<Self>, position: Position) -> Wants {
        *self.reads().entry(position).or_default() += 1;
        self.changed.notify_one();
        Wants { of: Arc::clone(self), position }
    }

    /// Returns when somebody waits for a position after `after`, up to `to`. For one that follows at a time.
    pub(super) async fn is_among(&self, after: Position, to: Position) {
        let is_wanted = || self.reads().range((Excluded(after), Included(to))).next().is_some();
        while after >= to || !is_wanted() {
            self.changed.notified().await;
        }
    }

    fn reads(&self) -> MutexGuard<'_, BTreeMap<Position, usize>> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wants {
    fn drop(&mut self) {
        let mut reads = self.of.reads();
        if let Some(count) = reads.get_mut(&self.position) {
            *count -= 1;
            if *count == 0 {
                reads.remove(&self.position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_wanted(wanted: &Wanted, after: Position, to: Position) -> bool {
        tokio::time::timeout(Duration::from_secs(1), wanted.is_among(after, to)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_position_is_wanted_as_long_as_a_read_waits_for_it() {
        let wanted = Arc::new(Wanted::default());
        assert!(!is_wanted(&wanted, 0, 10).await);
        let (one, another, far) = (wanted.want(7), wanted.want(7), wanted.want(1_000));
        assert!(is_wanted(&wanted, 6, 7).await);
        assert!(is_wanted(&wanted, 6, 7).await, "asking does not use it up");
        assert!(!is_wanted(&wanted, 7, 10).await, "what was reached is not waited for");
        assert!(!is_wanted(&wanted, 0, 6).await);
        assert!(!is_wanted(&wanted, 7, 7).await);
        drop(one);
        assert!(is_wanted(&wanted, 0, 10).await);
        drop((another, far));
        assert!(!is_wanted(&wanted, 0, 10_000).await);
        assert!(wanted.reads().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_of_a_read_that_comes_later() {
        let wanted = Arc::new(Wanted::default());
        let (told, _read) = tokio::join!(is_wanted(&wanted, 0, 10), async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            wanted.want(3)
        });
        assert!(told);
    }
}
