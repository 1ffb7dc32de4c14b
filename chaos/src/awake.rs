//! A clock that runs only while this process does: a machine that was suspended under a run, or stopped all of it, is no
//! fault of the platform.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the clock is wound.
const WOUND_EVERY: Duration = Duration::from_millis(5);
/// The most that passes between two moments of a process that runs, however busy the machine is.
const MOST: Duration = Duration::from_secs(1);

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Awake(u64);

impl Awake {
    pub(crate) fn now() -> Self {
        Self(clock().load(Ordering::Relaxed))
    }

    /// How long this process ran since then.
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// So much later, as if that had passed.
    #[cfg(test)]
    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0 + u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    /// How long it ran from an earlier moment to this one.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Microseconds that this process ran.
fn clock() -> &'static AtomicU64 {
    static CLOCK: OnceLock<&'static AtomicU64> = OnceLock::new();
    CLOCK.get_or_init(|| {
        let clock: &'static AtomicU64 = Box::leak(Box::default());
        thread::spawn(move || {
            let mut last = Instant::now();
            loop {
                thread::sleep(WOUND_EVERY);
                let passed = last.elapsed().min(MOST);
                last = Instant::now();
                let passed = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
                clock.fetch_add(passed, Ordering::Relaxed);
            }
        });
        clock
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_and_never_back() {
        let begun = Awake::now();
        let mut last = begun.elapsed();
        while last < Duration::from_millis(20) {
            let now = begun.elapsed();
            assert!(now >= last);
            last = now;
        }
    }
}
