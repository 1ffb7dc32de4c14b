//! One attempt to tell an endpoint of one event.

use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::clock::Clock;
use tokio::time::Instant;

use crate::egress::{Answered, Sender, Unanswered};
use crate::storage::Claimed;
use crate::webhooks::{Endpoint, signed_headers};

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) endpoint_id: String,
    pub(super) claimed: Claimed,
    pub(super) at: DateTime<Utc>,
    pub(super) took: Duration,
    pub(super) outcome: Result<Answered, Unanswered>,
}

/// Makes it.
pub(super) async fn attempt(
    sender: &Sender,
    clock: &Clock,
    endpoint: &Endpoint,
    claimed: Claimed,
) -> Ended {
    let (at, begun) = (clock(), Instant::now());
    let secrets = endpoint.secrets.valid(at);
    let headers = signed_headers(&claimed.event_id, at, &claimed.body, secrets);
    let outcome = match headers {
        Ok(headers) => sender.post(&endpoint.url, headers, claimed.body.clone()).await,
        // An id is a UUID, which any header takes.
        Err(_) => Err(Unanswered::Broken),
    };
    let took = begun.elapsed();
    let word = match &outcome {
        Ok(Answered { status: 200..300, .. }) => "delivered",
        Ok(_) => "refused",
        Err(Unanswered::Refused(_)) => "forbidden",
        Err(Unanswered::Late(_)) => "late",
        Err(Unanswered::NotReached | Unanswered::Broken) => "unreachable",
    };
    metrics::counter!("docket_webhook_attempts_total", "outcome" => word).increment(1);
    metrics::histogram!("docket_webhook_attempt_duration_seconds").record(took.as_secs_f64());
    Ended { endpoint_id: endpoint.id.clone(), claimed, at, took, outcome }
}
