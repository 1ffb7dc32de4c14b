//! What follows of an attempt. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::schedule::Schedule;
use crate::egress::{Answered, Unanswered};
use crate::storage::Then;

/// The receiver says that it is gone for good.
const GONE: u16 = 410;
/// A receiver that asks for more is asked sooner.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// What follows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) then: Then,
    /// Why the endpoint is not told any more.
    pub(super) disables: Option<&'static str>,
    /// Why it did not get through, where the status does not say it.
    pub(super) error: Option<String>,
}

/// What is known when an attempt ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'k> {
    /// How often it failed before.
    pub(super) failed_before: u32,
    /// Since when nothing got through at the endpoint, before this attempt.
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
    pub(super) schedule: &'k Schedule,
    /// From 0 to 1.
    pub(super) drawn: f64,
}

/// Decides.
pub(super) fn verdict(outcome: &Result<Answered, Unanswered>, known: Known<'_>) -> Verdict {
    let wish = match outcome {
        Ok(Answered { status: 200..300, .. }) => {
            return Verdict { then: Then::Delivered, disables: None, error: None };
        }
        Ok(answered) => answered.retry_after.map(|wish| wish.min(LONGEST_WISH)),
        Err(_) => None,
    };
    let error = match outcome {
        Ok(Answered { status: 300..400, .. }) => Some("redirects are not followed".to_owned()),
        Ok(_) => None,
        Err(unanswered) => Some(unanswered.to_string()),
    };
    let failed = known.failed_before.saturating_add(1);
    let pause = known.schedule.pause(failed, known.drawn);
    if matches!(outcome, Ok(Answered { status: GONE, .. })) {
        // It waits for the endpoint to be enabled, and is tried then whatever its time is.
        let then = Then::Again(known.now + pause.unwrap_or_default());
        return Verdict { then, disables: Some("the receiver says that it is gone (410)"), error };
    }
    let Some(pause) = pause else {
        let span = known.schedule.span();
        let is_dead = known.failing_since.is_some_and(|since| since + span <= known.now);
        let disables = is_dead.then_some("nothing got through for as long as something is tried");
        return Verdict { then: Then::Failed, disables, error };
    };
    let pause = pause.max(wish.unwrap_or_default());
    Verdict { then: Then::Again(known.now + pause), disables: None, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(answered: Answered, failed_before: u32) -> Verdict {
        judged(&Ok(answered), failed_before)
    }

    fn judged(outcome: &Result<Answered, Unanswered>, failed_before: u32) -> Verdict {
        let schedule = Schedule::default();
        let (now, failing_since) = (DateTime::UNIX_EPOCH, None);
        verdict(
            outcome,
            Known { failed_before, failing_since, now, schedule: &schedule, drawn: 0.5 },
        )
    }

    fn answered(status: u16, retry_after: Option<u64>) -> Answered {
        Answered { status, retry_after: retry_after.map(Duration::from_secs) }
    }

    fn at(seconds: u64) -> Then {
        Then::Again(DateTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn only_a_2xx_gets_through() {
        for status in [200, 202, 204, 299] {
            assert_eq!(after(answered(status, None), 3).then, Then::Delivered);
        }
        for status in [100, 199, 301, 302, 307, 400, 404, 500, 503] {
            assert_eq!(after(answered(status, None), 0).then, at(5), "{status}");
        }
        let redirected = after(answered(302, None), 0);
        assert_eq!(redirected.error.as_deref(), Some("redirects are not followed"));
    }

    #[test]
    fn who_asks_for_a_later_time_is_granted_it_within_a_day() {
        assert_eq!(after(answered(429, Some(60)), 0).then, at(60));
        assert_eq!(after(answered(503, Some(1)), 0).then, at(5), "not sooner");
        assert_eq!(after(answered(503, Some(u64::MAX)), 0).then, at(24 * 3_600));
    }

    #[test]
    fn gone_disables_and_what_it_was_about_waits() {
        let gone = after(answered(410, None), 9);
        assert!(gone.disables.is_some());
        assert!(matches!(gone.then, Then::Again(_)), "{gone:?}");
    }

    #[test]
    fn after_the_last_attempt_it_is_given_up_and_an_endpoint_that_takes_nothing_is_disabled() {
        assert_eq!(after(answered(500, None), 8).then, at(24 * 3_600));
        let last = judged(&Err(Unanswered::NotReached), 9);
        assert_eq!((last.then, last.disables), (Then::Failed, None), "others got through");
        let schedule = Schedule::default();
        let now = DateTime::UNIX_EPOCH + schedule.span();
        let failing_since = Some(DateTime::UNIX_EPOCH);
        let known = Known { failed_before: 9, failing_since, now, schedule: &schedule, drawn: 0.5 };
        assert!(verdict(&Ok(answered(500, None)), known).disables.is_some());
    }
}
