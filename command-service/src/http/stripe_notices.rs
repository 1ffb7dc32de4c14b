//! `POST /payments/webhooks/stripe`: Stripe says that something happened to a payment. No part of our API: Stripe says what
//! it looks like, and its signature, not a token, says who sends it.
//!
//! **Invariant:** nothing is recorded of what it says. Whoever waits for the outcome of that payment looks at Stripe's record.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use service_kit::clock::Clock;
use service_kit::problem::{Code, Problem};

use crate::payments::PaymentNews;
use crate::payments::stripe::webhook::{Notice, SeenNotices, Signatures};

const PROVIDER: &str = "stripe";
const SIGNATURE: &str = "stripe-signature";

/// Who takes notices in.
pub(crate) struct NoticeDesk {
    pub(crate) signatures: Signatures,
    pub(crate) seen: SeenNotices,
    pub(crate) news: PaymentNews,
    pub(crate) clock: Clock,
}

pub(crate) fn router(desk: Arc<NoticeDesk>) -> Router {
    Router::new().route("/payments/webhooks/stripe", post(notice)).with_state(desk)
}

async fn notice(
    State(desk): State<Arc<NoticeDesk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let now = (desk.clock)();
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if let Err(bad) = desk.signatures.check(signature.unwrap_or_default(), &body, now) {
        count("bad_signature");
        tracing::warn!(target: "docket::audit", provider = PROVIDER, %bad,
            "a notice that is not signed as the provider signs was refused");
        return Err(Problem::from(Code::InvalidSignature).detail(bad.to_string()));
    }
    let notice = Notice::parse(&body).map_err(|error| {
        count("unreadable");
        Problem::from(Code::InvalidBody).detail(error.to_string())
    })?;
    let Some(payment_id) = notice.payment_id else {
        count("of_others");
        return Ok(StatusCode::OK);
    };
    if !desk.seen.is_news(PROVIDER, &notice.object, &notice.kind, now) {
        count("repeated");
        return Ok(StatusCode::OK);
    }
    count("taken");
    tracing::debug!(kind = %notice.kind, payment.id = %payment_id, "the provider has news of a payment");
    desk.news.tell(payment_id);
    Ok(StatusCode::OK)
}

fn count(outcome: &'static str) {
    metrics::counter!("docket_provider_notices_total", "provider" => PROVIDER, "outcome" => outcome)
        .increment(1);
}
