//! When what did not get through is tried again.

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// How much a pause is drawn from, around what the schedule says: many endpoints that failed at once don't come back at once.
const JITTER: f64 = 0.2;

/// The pauses between attempts; after the last it is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    /// Ten attempts over a little more than three days.
    fn default() -> Self {
        Self(vec![
            5 * SECOND,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ])
    }
}

impl Schedule {
    /// Pauses of these lengths.
    pub fn of(pauses: Vec<Duration>) -> Self {
        Self(pauses)
    }

    /// The pause after so many attempts that failed; `None` when it is given up. `drawn` is from 0 to 1.
    pub(super) fn pause(&self, failed: u32, drawn: f64) -> Option<Duration> {
        let place = usize::try_from(failed.checked_sub(1)?).ok()?;
        let pause = self.0.get(place)?;
        Some(pause.mul_f64(1.0 - JITTER + 2.0 * JITTER * drawn.clamp(0.0, 1.0)))
    }

    /// How long it takes at least until something is given up.
    pub(super) fn span(&self) -> Duration {
        self.0.iter().sum::<Duration>().mul_f64(1.0 - JITTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_over_three_days_and_none_at_the_very_same_time() {
        let schedule = Schedule::default();
        let pauses: Vec<_> = (1..=10).map(|failed| schedule.pause(failed, 0.5)).collect();
        let whole: Duration = pauses.iter().flatten().sum();
        assert_eq!(pauses.iter().flatten().count(), 9);
        assert!(whole > 3 * 24 * HOUR && whole < 4 * 24 * HOUR, "{whole:?}");
        assert_eq!(schedule.pause(1, 0.0), Some(4 * SECOND));
        assert_eq!(schedule.pause(1, 1.0), Some(6 * SECOND));
        assert_eq!(schedule.pause(10, 0.5), None);
    }
}
