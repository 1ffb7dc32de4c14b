//! `POST /webhooks/{id}/rotate-secret`

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::Reason;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::{self, Code, Problem};
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::answers::{WebhookItem, WebhookWithSecret};
use super::api::{Api, Asked, failed};
use super::once::{Done, Once, again};
use crate::storage as tables;
use crate::webhooks::Secret;

/// How long both secrets sign, when nobody says it.
const OVERLAP_S: u32 = 24 * 3_600;
/// The longest that they may.
const MOST_OVERLAP_S: u32 = 30 * 24 * 3_600;

/// Why another secret is drawn, and how long the old one still signs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "it is in a log" }))]
pub(super) struct RotateSecret {
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
    /// Seconds for which the secret before still signs, too; a day when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_s: Option<u32>,
}

/// Draws another secret for a webhook
///
/// For a time what is sent is signed with both, so that the receiver may change over without missing anything.
#[utoipa::path(post, path = "/webhooks/{id}/rotate-secret", tag = "Webhooks",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key draws no further secret, and has the first answer; the secret as long as it signs"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = RotateSecret,
    responses((status = 200, description = "The webhook, with its new secret", body = WebhookWithSecret), ActionProblems))]
pub(super) async fn rotate_secret(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(RotateSecret { reason, overlap_s }): JsonBody<RotateSecret>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let overlap_s = overlap_s.unwrap_or(OVERLAP_S);
    if overlap_s > MOST_OVERLAP_S {
        let wrong = format!("is at most {MOST_OVERLAP_S}, 30 days");
        return Err(Problem::from(Code::InvalidBody).mistake("/overlap_s", wrong));
    }
    let request = (OperatorAction::RotateWebhookSecret, &id, overlap_s, reason.get());
    let once = Once::of(&key, &request)?;
    let _turn = api.turn().await;
    let known = api.find(&id).await?;
    if let Some(answer) = api.answered(&mut api.reader().await?, &once).await? {
        let webhook = serde_json::from_str(answer.get()).map_err(|error| problem::internal(&error));
        return Ok(again(Json(WebhookWithSecret::again(webhook?, &known, &key, (api.clock)()))));
    }
    // Drawn before answers were kept.
    if known.secrets.drawn_by == *key {
        let webhook = WebhookItem::from(&known);
        return Ok(again(Json(WebhookWithSecret::again(webhook, &known, &key, (api.clock)()))));
    }
    let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
    api.record((&id, None), OperatorAction::RotateWebhookSecret, asked).await?;
    let secret = Secret::draw().map_err(|error| problem::internal(&error))?;
    let until = (api.clock)() + TimeDelta::seconds(overlap_s.into());
    let mut transaction = api.begin().await?;
    let rotated =
        tables::rotate_secret(&mut transaction, api.book.sealing(), (&id, &key), &secret, until);
    rotated.await.map_err(failed)?;
    let webhook = WebhookItem::from(&api.find_in(&mut transaction, &id).await?);
    let done = Done { answer: &webhook, endpoint_id: Some(&id), is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(WebhookWithSecret::new(webhook, &secret)).into_response())
}
