//! `POST /webhooks/{id}/deliveries/{delivery}/redeliver`, `POST /webhooks/{id}/redeliver`

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::Reason;
use serde::{Deserialize, Serialize};
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::answers::DeliveryItem;
use super::api::{Api, Asked, failed};
use super::change_webhook::WhyChanged;
use super::once::{Done, Once, again};
use crate::storage as tables;

/// Tells a webhook again
///
/// What waits for its time is tried at once; what waits for an earlier event of its order goes on doing so. A webhook that is
/// disabled is told when it is enabled (`waits_for` is `enabled`).
#[utoipa::path(post, path = "/webhooks/{id}/deliveries/{delivery}/redeliver", tag = "Webhooks",
    params(("id" = inline(PathName), Path), ("delivery" = i64, Path, minimum = 1),
        ("Idempotency-Key" = inline(KeyText), Header, description = "Under the same key it is told again once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = WhyChanged,
    responses((status = 200, body = DeliveryItem), ActionProblems))]
pub(super) async fn redeliver(
    Shared(api): Shared<Api>,
    PathParams((id, delivery)): PathParams<(String, i64)>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(WhyChanged { reason }): JsonBody<WhyChanged>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let once = Once::of(&key, &(OperatorAction::RedeliverWebhook, &id, delivery, reason.get()))?;
    let _turn = api.turn().await;
    let mut reader = api.reader().await?;
    api.delivery(&mut reader, &id, delivery).await?;
    if let Some(answer) = api.answered(&mut reader, &once).await? {
        return Ok(again(Json(answer)));
    }
    drop(reader);
    let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
    let number = delivery.to_string();
    api.record((&id, Some(&number)), OperatorAction::RedeliverWebhook, asked).await?;
    let mut transaction = api.begin().await?;
    let due = tables::redeliver(&mut transaction, (&id, delivery), &key, (api.clock)()).await;
    due.map_err(failed)?;
    let (row, is_enabled) = api.delivery(&mut transaction, &id, delivery).await?;
    let item = DeliveryItem::of(row, is_enabled);
    let done = Done { answer: &item, endpoint_id: Some(&id), is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(item).into_response())
}

/// What is told again, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "since": "2026-11-30T00:00:00Z", "reason": "the receiver was down over the weekend" }))]
pub(super) struct RedeliverFailed {
    /// What came since then; it is kept for 30 days.
    since: BusinessTime,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
}

/// How much is told again
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redelivered {
    /// Deliveries that wait again.
    redelivered: u64,
}

/// Tells a webhook again all that was given up
#[utoipa::path(post, path = "/webhooks/{id}/redeliver", tag = "Webhooks",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "Under the same key each is told again once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = RedeliverFailed,
    responses((status = 200, body = Redelivered), ActionProblems))]
pub(super) async fn redeliver_failed(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(RedeliverFailed { since, reason }): JsonBody<RedeliverFailed>,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let request = (OperatorAction::RedeliverWebhook, &id, since.get(), reason.get());
    let once = Once::of(&key, &request)?;
    let _turn = api.turn().await;
    api.find(&id).await?;
    if let Some(answer) = api.answered(&mut api.reader().await?, &once).await? {
        return Ok(again(Json(answer)));
    }
    let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
    api.record((&id, None), OperatorAction::RedeliverWebhook, asked).await?;
    let (mut transaction, now) = (api.begin().await?, (api.clock)());
    let due = tables::redeliver_failed(&mut transaction, &id, since.get(), &key, now).await;
    let redelivered = Redelivered { redelivered: due.map_err(failed)? };
    let done = Done { answer: &redelivered, endpoint_id: Some(&id), is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(redelivered).into_response())
}
