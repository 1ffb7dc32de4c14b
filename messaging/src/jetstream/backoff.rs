//! Waits that grow, with jitter: so that many who lost the same broker do not come back all at once.

use std::time::Duration;

/// Grows from `first` to `most`, and never gives up.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// The next wait: between a half and the whole of what this failure earns.
    pub(super) fn next(&mut self) -> Duration {
        let whole = delay(self.first, self.most, self.failures);
        self.failures = self.failures.saturating_add(1);
        jittered(whole)
    }

    /// Something worked: the next failure is the first again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Twice as long with every failure, up to `most`.
pub(super) fn delay(first: Duration, most: Duration, failures: u32) -> Duration {
    first.saturating_mul(1 << failures.min(16)).min(most)
}

/// Between a half and the whole of a time.
pub(super) fn jittered(whole: Duration) -> Duration {
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_its_bound_and_begins_anew() {
        let (first, most) = (Duration::from_millis(50), Duration::from_secs(2));
        let mut backoff = Backoff::new(first, most);
        for _ in 0..100 {
            let wait = backoff.next();
            assert!(wait >= first / 2 && wait <= most, "{wait:?}");
        }
        assert!(backoff.next() >= most / 2);
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
