//! How often the write-ahead log of a SQLite file is carried over into it: seldom where little is written, often under load.

use std::time::Duration;

/// How often the write-ahead log is carried over into the file, away from the write path, where little is written.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// The same under load. Whoever commits meanwhile waits for the same disk: with a checkpoint every five seconds the slowest
/// orders waited half a second, with five checkpoints a second a tenth.
const CHECKPOINT_OFTEN: Duration = Duration::from_millis(100);
/// How many pages of a write-ahead log, 4 MiB, are a checkpoint's share.
const CHECKPOINT_PAGES: u32 = 1_024;

/// When the next checkpoint is due, so that each has about the same to carry.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    /// Pages in the write-ahead log at the last checkpoint.
    pages: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: CHECKPOINT_EVERY, pages: 0 }
    }
}

impl Pace {
    /// How long to wait for the next one.
    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    /// One was made, and the write-ahead log has so many pages.
    pub(crate) fn carried_over(&mut self, pages: u32) {
        // One with fewer pages was begun anew.
        let grown = pages.checked_sub(self.pages).unwrap_or(pages);
        self.pages = pages;
        let pause = self.pause * CHECKPOINT_PAGES / grown.max(1);
        self.pause = pause.clamp(CHECKPOINT_OFTEN, CHECKPOINT_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_log_is_carried_over_often_and_a_quiet_one_seldom() {
        let mut pace = Pace::default();
        let pauses: Vec<_> = [0, 100, 2_148, 4_196, 4_200, 104_200, 7, 7]
            .map(|pages| {
                pace.carried_over(pages);
                pace.pause.as_millis()
            })
            .into();
        assert_eq!(pauses, [1_000, 1_000, 500, 250, 1_000, 100, 1_000, 1_000]);
    }
}
