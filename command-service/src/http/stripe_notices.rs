//! `POST /payments/webhooks/stripe`: Stripe says that something happened to a payment. Stripe says what it looks
//! like, and its signature, not a token, says who sends it.
//!
//! **Invariant:** nothing is recorded of what it says. Whoever waits for the outcome of that payment looks at Stripe's record.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use service_kit::clock::Clock;
use service_kit::extract::JsonBytes;
use service_kit::problem::{Code, Problem, ProblemBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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

pub(crate) fn router(desk: Arc<NoticeDesk>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(notice)).with_state(desk)
}

/// What a notice may be answered when it is not taken.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
enum NoticeProblems {
    /// It is signed, and is no notice.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// It is not signed as Stripe signs with a secret of the settings, or too long ago.
    #[response(status = 401, content_type = "application/problem+json")]
    NotSigned(#[to_schema] ProblemBody),
    /// It is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemBody),
}

/// Takes in what Stripe tells
///
/// For Stripe, which says what its events look like. Its signature stands for a token. Of an event nothing is recorded: the
/// payment that it names is looked up at Stripe.
#[utoipa::path(post, path = "/payments/webhooks/stripe", tag = "Payments",
    params(("Stripe-Signature" = String, Header, description = "When it was sent, and its signatures: `t=…,v1=…`")),
    request_body(content = inline(serde_json::Map<String, serde_json::Value>), content_type = "application/json", description = "An event, as Stripe makes it"),
    responses((status = 200, description = "It was taken, or is about nothing of ours"), NoticeProblems))]
async fn notice(
    State(desk): State<Arc<NoticeDesk>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: JsonBytes,
) -> Result<StatusCode, Problem> {
    let body = body.as_bytes();
    let now = (desk.clock)();
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if let Err(bad) = desk.signatures.check(signature.unwrap_or_default(), body, now) {
        count("bad_signature");
        let peer = peer.map(|Extension(ConnectInfo(peer))| tracing::field::display(peer));
        tracing::warn!(target: "docket::audit", provider = PROVIDER, peer, %bad,
            "a notice that is not signed as the provider signs was refused");
        return Err(Problem::from(Code::InvalidSignature).detail(bad.to_string()));
    }
    let notice = Notice::parse(body).map_err(|error| {
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
