//! What follows of an attempt to send a mail. Pure.

use chrono::{DateTime, Utc};

use super::schedule::Schedule;
use crate::mail::{Step, Unsent};
use crate::storage::Then;

/// Decides. `failed_before` is how often it failed before, `drawn` is from 0 to 1.
pub(super) fn mail_verdict(
    outcome: Result<u16, Unsent>,
    failed_before: u32,
    now: DateTime<Utc>,
    schedule: &Schedule,
    drawn: f64,
) -> Then {
    let again = || {
        let pause = schedule.pause(failed_before.saturating_add(1), drawn);
        pause.map_or(Then::Failed, |pause| Then::Again(now + pause))
    };
    match outcome {
        Ok(_) => Then::Delivered,
        // It says no to this mail, for good. Of what it says before it has heard of the mail, the settings may be the cause.
        Err(
            Unsent::Refused { step: Step::Recipient | Step::Content, status: 500.. }
            | Unsent::Letters,
        ) => Then::Failed,
        Err(Unsent::NoAddress | Unsent::BadAddress | Unsent::Erased) => Then::Dropped,
        Err(
            Unsent::Refused { .. }
            | Unsent::NotReached
            | Unsent::NotSealed
            | Unsent::NoLogIn
            | Unsent::Late(_)
            | Unsent::Broken
            | Unsent::Unknown
            | Unsent::NotOpened
            | Unsent::NotWritten,
        ) => again(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(outcome: Result<u16, Unsent>, failed_before: u32) -> Then {
        let schedule = Schedule::of(vec![Duration::from_secs(10); 2]);
        mail_verdict(outcome, failed_before, DateTime::UNIX_EPOCH, &schedule, 0.5)
    }

    fn refused(step: Step, status: u16) -> Result<u16, Unsent> {
        Err(Unsent::Refused { step, status })
    }

    fn in_10_s() -> Then {
        Then::Again(DateTime::UNIX_EPOCH + Duration::from_secs(10))
    }

    #[test]
    fn what_is_refused_for_good_is_given_up_and_what_is_refused_for_now_is_tried_again() {
        assert_eq!(after(Ok(250), 0), Then::Delivered);
        for step in [Step::Recipient, Step::Content] {
            assert_eq!(after(refused(step, 550), 0), Then::Failed, "{step:?}");
            assert_eq!(after(refused(step, 450), 0), in_10_s(), "{step:?}");
        }
        assert_eq!(after(refused(Step::Recipient, 450), 2), Then::Failed, "after the last attempt");
    }

    #[test]
    fn what_settings_may_be_the_cause_of_loses_no_mail_at_once() {
        for step in [Step::Greeting, Step::LogIn, Step::Sender] {
            assert_eq!(after(refused(step, 535), 0), in_10_s(), "{step:?}");
        }
        for unsent in [Unsent::NotReached, Unsent::NotSealed, Unsent::NoLogIn, Unsent::Unknown] {
            assert_eq!(after(Err(unsent), 0), in_10_s(), "{unsent:?}");
        }
    }

    #[test]
    fn who_has_no_address_is_not_tried_again() {
        for unsent in [Unsent::NoAddress, Unsent::BadAddress, Unsent::Erased] {
            assert_eq!(after(Err(unsent), 0), Then::Dropped, "{unsent:?}");
        }
    }
}
