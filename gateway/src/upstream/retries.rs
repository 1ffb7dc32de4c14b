//! How often a request may be tried again after nobody answered, and how long to wait before: a service that comes back is not met by
//! a multiple of what it was asked before.

use std::fmt;
use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

/// How often a request is tried again, at most.
pub(super) const MOST: u32 = 2;
/// How long at most to wait before the first time; before the second it is twice that.
const PAUSE: Duration = Duration::from_millis(100);
/// Over how long requests count.
const COUNTED_FOR: Duration = Duration::from_secs(10);
/// Of ten requests one may be tried again,
const SHARE: f32 = 0.1;
/// and so many a second in any case.
const AT_LEAST: u32 = 5;

/// What is left to be tried again, of all requests to one service.
pub(super) struct Budget(TpsBudget);

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budget(..)")
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(TpsBudget::new(COUNTED_FOR, AT_LEAST, SHARE))
    }
}

impl Budget {
    /// A request came.
    pub(super) fn deposit(&self) {
        self.0.deposit();
    }

    /// Whether one may be tried again.
    pub(super) fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

/// How long to wait before the request is tried for the so-manieth time again: any part of the longest wait, so that those who failed
/// together do not come back together.
pub(super) fn pause(again: u32) -> Duration {
    let longest = PAUSE.saturating_mul(1 << again.min(8));
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_many_requests_that_fail_only_a_part_is_tried_again() {
        let budget = Budget::default();
        let tried = (0..10_000).filter(|_| {
            budget.deposit();
            budget.withdraw()
        });
        let tried = tried.count();
        assert!((900..1_100).contains(&tried), "{tried}");
        assert!(!budget.withdraw());
        tokio::time::advance(COUNTED_FOR * 2).await;
        assert!(budget.withdraw(), "later there is some again");
    }

    #[test]
    fn waits_are_spread_and_bounded() {
        let waits: Vec<Duration> = (0..100).map(|_| pause(1)).collect();
        assert!(waits.iter().all(|wait| *wait <= PAUSE * 2), "{waits:?}");
        let different: std::collections::HashSet<_> = waits.iter().collect();
        assert!(different.len() > 50, "{waits:?}");
    }
}
