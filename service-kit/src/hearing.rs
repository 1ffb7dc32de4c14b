//! Waiting to hear that the log has a position.
//!
//! **Invariant:** a position that the log is not known to have holds somebody up for a moment only, few at a time, and of those a part
//! only is one client's: whoever makes one up takes nobody's place. One that was acknowledged is waited for though it was not heard of
//! here yet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::shares::Shares;

/// How long it is waited to hear that the log has got there: that is told every second.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// How far beyond the last position that was heard of one may be that is waited for: more than any log grows by in that time.
const FAR: u64 = 100_000;
/// How many may wait to hear of a position at a time.
const MOST: usize = 512;

/// The places of those who wait. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hearing(Arc<Places>);

#[derive(Debug)]
struct Places {
    all: Semaphore,
    /// By the name of whoever waits.
    each: Shares<String>,
}

impl Default for Hearing {
    fn default() -> Self {
        Self(Arc::new(Places { all: Semaphore::new(MOST), each: Shares::of(MOST) }))
    }
}

impl Hearing {
    /// Whether a log whose head is heard so is known to have a position, or is in a moment. `whose` is the name of who asks, where somebody
    /// was asked for it: whoever waits as often as one may is told at once that it is not.
    pub async fn hears_of(
        &self,
        mut head: watch::Receiver<u64>,
        wanted: u64,
        whose: Option<String>,
    ) -> bool {
        let known = *head.borrow();
        if wanted <= known {
            return true;
        }
        if wanted - known > FAR {
            return false;
        }
        let Ok(_place) = self.0.all.try_acquire() else { return false };
        let share = whose.map(|whose| self.0.each.take(whose));
        if matches!(share, Some(None)) {
            return false;
        }
        let reached = head.wait_for(|head| *head >= wanted);
        timeout(HEARD_WITHIN, reached).await.is_ok_and(|head| head.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_of_in_time_is_there_and_what_never_was_holds_nobody_up_for_long() {
        let (log, head) = watch::channel(10);
        let hearing = Hearing::default();
        assert!(hearing.hears_of(head.clone(), 10, None).await);
        let begun = Instant::now();
        assert!(!hearing.hears_of(head.clone(), 10 + FAR + 1, None).await);
        assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waits for what is far beyond");
        let (in_time, ()) = tokio::join!(hearing.hears_of(head.clone(), 11, None), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            log.send_replace(11);
        });
        assert!(in_time);
        let waiting = (0..MOST).map(|_| hearing.hears_of(head.clone(), 12, None));
        let (waited, one_more) = tokio::join!(futures::future::join_all(waiting), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let asked = Instant::now();
            (hearing.hears_of(head.clone(), 12, None).await, asked.elapsed())
        });
        assert_eq!(waited, [false; MOST]);
        assert_eq!(one_more, (false, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_makes_positions_up_takes_no_place_of_others() {
        let (log, head) = watch::channel(10);
        let hearing = Hearing::default();
        let made_up = (0..MOST).map(|_| hearing.hears_of(head.clone(), 99, Some("eve".to_owned())));
        let (_, (refused_at_once, in_time)) =
            tokio::join!(futures::future::join_all(made_up), async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let asked = Instant::now();
                let eves = hearing.hears_of(head.clone(), 11, Some("eve".to_owned())).await;
                let refused_at_once = !eves && asked.elapsed() == Duration::ZERO;
                let anns = hearing.hears_of(head.clone(), 11, Some("ann".to_owned()));
                let (in_time, ()) = tokio::join!(anns, async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    log.send_replace(11);
                });
                (refused_at_once, in_time)
            });
        assert!(refused_at_once && in_time);
    }
}
