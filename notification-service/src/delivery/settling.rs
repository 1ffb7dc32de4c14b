//! What comes of attempts is kept, with what follows of it for their channel.

use chrono::{DateTime, Utc};
use storage::Transaction;

use super::attempt::{Ended, Outcome};
use super::dispatcher::Dispatcher;
use super::mail_verdict::mail_verdict;
use super::verdict::{Known, Verdict, verdict};
use crate::egress::{Answered, Unanswered};
use crate::mail::{Mailer, Unsent};
use crate::run_error::RunError;
use crate::storage::{self as tables, Then, Tried};

impl Dispatcher {
    /// True when it changes something of the channel itself.
    pub(super) async fn settle_one(
        &self,
        transaction: &mut Transaction,
        ended: &Ended,
        now: DateTime<Utc>,
    ) -> Result<bool, RunError> {
        match &ended.outcome {
            Outcome::Posted(outcome) => self.settle_post(transaction, ended, outcome, now).await,
            Outcome::Mailed(outcome) => {
                self.settle_mail(transaction, ended, *outcome, now).await?;
                Ok(false)
            }
        }
    }

    async fn settle_mail(
        &self,
        transaction: &mut Transaction,
        ended: &Ended,
        outcome: Result<u16, Unsent>,
        now: DateTime<Utc>,
    ) -> Result<(), RunError> {
        let schedule = self.parts.mailer.as_ref().map_or(&self.parts.schedule, Mailer::schedule);
        let tries = ended.claimed.tries;
        let then = mail_verdict(outcome, tries, now, schedule, fastrand::f64());
        let (status, error) = match outcome {
            Ok(status) => (Some(status), None),
            Err(unsent) => (unsent.status(), Some(unsent.to_string())),
        };
        tables::settle(transaction, &tried(ended, status, error, then), now).await?;
        Ok(())
    }

    async fn settle_post(
        &self,
        transaction: &mut Transaction,
        ended: &Ended,
        outcome: &Result<Answered, Unanswered>,
        now: DateTime<Utc>,
    ) -> Result<bool, RunError> {
        let id = &*ended.channel;
        let failing_since = tables::failing_since(transaction, id).await?;
        let known = Known {
            failed_before: ended.claimed.tries,
            failing_since,
            now,
            schedule: &self.parts.schedule,
            drawn: fastrand::f64(),
        };
        let Verdict { then, disables, error } = verdict(outcome, known);
        let status = outcome.as_ref().ok().map(|answered| answered.status);
        tables::settle(transaction, &tried(ended, status, error, then), now).await?;
        let got_through = then == Then::Delivered;
        match (got_through, failing_since) {
            (true, Some(_)) => tables::got_through(transaction, id).await?,
            (false, None) => tables::start_failing(transaction, id, ended.at).await?,
            (true, None) | (false, Some(_)) => {}
        }
        let Some(why) = disables else { return Ok(got_through != failing_since.is_none()) };
        if tables::disable(transaction, id, why, now).await? {
            tracing::warn!(endpoint = id, why, "a webhook is disabled; what is for it waits");
        }
        Ok(true)
    }
}

fn tried(ended: &Ended, status: Option<u16>, error: Option<String>, then: Then) -> Tried {
    Tried {
        number: ended.claimed.number,
        endpoint_id: ended.channel.clone(),
        subject: ended.claimed.subject.clone(),
        at: ended.at,
        took: ended.took,
        status,
        error,
        then,
    }
}
