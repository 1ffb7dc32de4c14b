//! How far somebody who follows the log is behind it: not in events, of which there may be many in a moment, but in time.
//!
//! **Invariant:** it is the time since the log went past where they stand, as far as it was looked at; who has read all is behind by nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most looks that are remembered: with one a second, who is further behind is behind by an hour.
const MOST_LOOKS: usize = 3_600;

/// What was seen of the log, as far as it is not read.
#[derive(Debug, Default)]
pub struct Behind {
    /// When the log was first seen to end there.
    ends: VecDeque<(Instant, u64)>,
}

impl Behind {
    /// Takes a look: where they stand, and where the log ends.
    pub fn look(&mut self, now: Instant, position: u64, end: u64) -> Duration {
        let last = self.ends.back().map_or(0, |(_, last)| *last);
        if end < last {
            // Another log, as after a restore.
            self.ends.clear();
        }
        if (end > last || self.ends.is_empty()) && self.ends.len() < MOST_LOOKS {
            self.ends.push_back((now, end));
        }
        while self.ends.front().is_some_and(|(_, end)| *end <= position) {
            self.ends.pop_front();
        }
        self.ends.front().map_or(Duration::ZERO, |(since, _)| now.saturating_duration_since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_still_is_behind_since_the_log_went_on_and_who_has_read_all_is_not() {
        let (mut behind, begun) = (Behind::default(), Instant::now());
        let mut look = |second: u64, position, end| {
            behind.look(begun + Duration::from_secs(second), position, end).as_secs()
        };
        assert_eq!(look(0, 10, 10), 0);
        assert_eq!(look(1, 10, 10), 0);
        assert_eq!(look(2, 10, 50), 0, "it has just gone on");
        assert_eq!(look(5, 10, 90), 3);
        assert_eq!(look(6, 60, 95), 1, "it has read what was there at 2, not what came by 5");
        assert_eq!(look(7, 95, 95), 0);
        assert_eq!(look(9, 5, 20), 0, "another log");
        assert_eq!(look(10, 5, 20), 1);
    }
}
