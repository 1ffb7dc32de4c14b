//! What moves a step on when no answer does: a failure, the clock, an operator.

use chrono::{DateTime, Duration, Utc};

use super::Timeouts;
use super::track::{Phase, Track};
use crate::payments::ByHand;

impl Track {
    /// The step failed: later again, or not without a person.
    pub(super) fn fail(&mut self, retriable: bool, now: DateTime<Utc>, timeouts: &Timeouts) {
        self.failures += 1;
        self.alarmed = self.failures >= timeouts.attempts_before_alarm;
        self.phase = if retriable {
            Phase::Backoff { until: now + backoff(self.failures, timeouts) }
        } else {
            Phase::Stuck
        };
    }

    /// Only a person can say how to go on.
    pub(super) fn stop(&mut self, error: &str) {
        self.phase = Phase::Stuck;
        self.error = Some(error.to_owned());
    }

    /// The step is to be asked for anew, as soon as the data allows.
    pub(super) fn again(&mut self) {
        self.attempt += 1;
        self.phase = Phase::Due;
    }

    /// Time has passed: a failed step is due again; an outcome unknown for too long alarms, and so does an answer that
    /// is out for too long, which undoes nothing.
    pub(super) fn on_time(&mut self, now: DateTime<Utc>, timeouts: &Timeouts) {
        match self.phase {
            Phase::Backoff { until } if until <= now => self.again(),
            Phase::Unknown { since } if since + timeouts.unknown_alarm <= now => {
                self.alarmed = true;
            }
            Phase::Asked if self.asked_at.is_some_and(|at| at + timeouts.answer_alarm <= now) => {
                self.alarmed = true;
            }
            Phase::Due
            | Phase::Asked
            | Phase::Unknown { .. }
            | Phase::Backoff { .. }
            | Phase::Refused
            | Phase::Stuck
            | Phase::Ended => {}
        }
    }

    /// An operator wants the next attempt now. What is asked for is not asked for twice; its alarm starts anew.
    pub(super) fn retry(&mut self, now: DateTime<Utc>) {
        match self.phase {
            Phase::Stuck | Phase::Backoff { .. } => {
                self.alarmed = false;
                self.again();
            }
            Phase::Unknown { .. } => {
                self.alarmed = false;
                self.phase = Phase::Unknown { since: now };
            }
            Phase::Asked => {
                self.alarmed = false;
                self.asked_at = Some(now);
            }
            Phase::Due | Phase::Refused | Phase::Ended => {}
        }
    }

    /// An operator settled by hand what the step is about; only of a step that [`Self::has_failed`].
    pub(super) fn resolve(&mut self, by_hand: &ByHand) {
        self.alarmed = false;
        self.by_hand = Some(by_hand.clone());
        self.again();
    }

    pub(super) fn wake_at(&self, timeouts: &Timeouts) -> Option<DateTime<Utc>> {
        match self.phase {
            Phase::Backoff { until } => Some(until),
            Phase::Unknown { since } if !self.alarmed => Some(since + timeouts.unknown_alarm),
            Phase::Asked if !self.alarmed => self.asked_at.map(|at| at + timeouts.answer_alarm),
            Phase::Due
            | Phase::Asked
            | Phase::Unknown { .. }
            | Phase::Refused
            | Phase::Stuck
            | Phase::Ended => None,
        }
    }

    pub(super) fn shift(&mut self, by: Duration) {
        match &mut self.phase {
            Phase::Unknown { since: time } | Phase::Backoff { until: time } => *time += by,
            Phase::Due | Phase::Asked | Phase::Refused | Phase::Stuck | Phase::Ended => {}
        }
        self.asked_at = self.asked_at.map(|at| at + by);
    }
}

/// Doubles with every failure, up to the longest wait.
fn backoff(failures: u32, timeouts: &Timeouts) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let wait = timeouts.retry_first.checked_mul(1 << doublings).unwrap_or(timeouts.retry_most);
    wait.min(timeouts.retry_most)
}
