//! One attempt to tell a webhook, or a customer, of one event.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use service_kit::clock::Clock;
use tokio::time::Instant;

use super::channel::Channel;
use crate::egress::{Answered, Sender, Unanswered};
use crate::mail::{Mailer, Unsent};
use crate::storage::Claimed;
use crate::webhooks::{Endpoint, signed_headers};

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A webhook was asked.
    Posted(Result<Answered, Unanswered>),
    /// A mail was handed over, with this SMTP status, or not.
    Mailed(Result<u16, Unsent>),
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) channel: String,
    pub(super) claimed: Claimed,
    pub(super) at: DateTime<Utc>,
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
}

/// Makes it.
pub(super) async fn attempt(
    sender: &Sender,
    clock: &Clock,
    channel: &Channel,
    claimed: Claimed,
) -> Ended {
    let (at, begun) = (clock(), Instant::now());
    let outcome = match channel {
        Channel::Webhook(endpoint) => {
            let posted = post(sender, endpoint, &claimed, at);
            let posted = unless_it_panics(posted).await.unwrap_or(Err(Unanswered::Broken));
            count_post(&posted, begun.elapsed());
            Outcome::Posted(posted)
        }
        Channel::Mail(mailer) => {
            let sent = unless_it_panics(mail(mailer, &claimed, begun)).await;
            Outcome::Mailed(sent.unwrap_or(Err(Unsent::Broken)))
        }
    };
    Ended { channel: channel.id().to_owned(), claimed, at, took: begun.elapsed(), outcome }
}

/// What it comes to. A mistake of ours is one more attempt that failed: the place that it has is somebody else's afterwards, and what it
/// was about is tried again as late as all that fails.
async fn unless_it_panics<T>(made: impl Future<Output = T>) -> Option<T> {
    let outcome = AssertUnwindSafe(Box::pin(made)).catch_unwind().await.ok();
    if outcome.is_none() {
        tracing::error!("an attempt to tell somebody panicked");
    }
    outcome
}

async fn post(
    sender: &Sender,
    endpoint: &Endpoint,
    claimed: &Claimed,
    at: DateTime<Utc>,
) -> Result<Answered, Unanswered> {
    let secrets = endpoint.secrets.valid(at);
    let headers = signed_headers(&claimed.event_id, at, &claimed.body, secrets);
    match headers {
        Ok(headers) => sender.post(&endpoint.url, headers, claimed.body.clone()).await,
        // An id is a UUID, which any header takes.
        Err(_) => Err(Unanswered::Broken),
    }
}

fn count_post(posted: &Result<Answered, Unanswered>, took: Duration) {
    let word = match posted {
        Ok(Answered { status: 200..300, .. }) => "delivered",
        Ok(_) => "refused",
        Err(Unanswered::Refused(_)) => "forbidden",
        Err(Unanswered::Late(_)) => "late",
        Err(
            Unanswered::NotResolved(_)
            | Unanswered::NobodyListens
            | Unanswered::NoRoute
            | Unanswered::Certificate(_)
            | Unanswered::NoTls
            | Unanswered::NotReached
            | Unanswered::Broken,
        ) => "unreachable",
    };
    metrics::counter!("docket_webhook_attempts_total", "outcome" => word).increment(1);
    metrics::histogram!("docket_webhook_attempt_duration_seconds").record(took.as_secs_f64());
}

async fn mail(mailer: &Mailer, claimed: &Claimed, begun: Instant) -> Result<u16, Unsent> {
    let sent = mailer.send(claimed).await;
    let word = match sent {
        Ok(_) => "sent",
        Err(Unsent::Refused { status: 500.., .. } | Unsent::Letters) => "refused",
        Err(Unsent::Refused { .. }) => "deferred",
        Err(Unsent::Late(_)) => "late",
        Err(Unsent::NotReached | Unsent::NotSealed | Unsent::NoLogIn | Unsent::Broken) => {
            "unreachable"
        }
        Err(Unsent::NoAddress | Unsent::BadAddress | Unsent::Erased) => "nobody",
        Err(Unsent::Unknown | Unsent::NotOpened | Unsent::NotWritten) => "not_written",
    };
    metrics::counter!("docket_mail_attempts_total", "outcome" => word).increment(1);
    let took = begun.elapsed();
    metrics::histogram!("docket_mail_attempt_duration_seconds").record(took.as_secs_f64());
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_that_panics_has_an_end() {
        assert_eq!(unless_it_panics(async { 200 }).await, Some(200));
        let broken = async { panic!("an attempt") as u16 };
        assert_eq!(unless_it_panics(broken).await, None);
    }
}
