//! Pauses between attempts that grow and are never quite the same, so that many clients don't come back at once.

use std::time::Duration;

/// The pauses of one series of attempts.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Begins with about `first`, doubles, and stays at about `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest }
    }

    /// The next pause: between half and all of what it grew to.
    pub fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        whole / 2 + whole / 2_000 * fastrand::u32(..1_000)
    }

    /// After a success the next series begins anew.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut backoff = Backoff::new(first, longest);
        for attempt in 0..20 {
            let whole = (first * 2_u32.pow(attempt)).min(longest);
            let pause = backoff.pause();
            assert!(whole / 2 <= pause && pause <= whole, "{attempt}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= first);
    }
}
