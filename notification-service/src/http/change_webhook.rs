//! `POST /webhooks/{id}/enable`, `POST /webhooks/{id}/disable`

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::Reason;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::answers::WebhookItem;
use super::api::{Api, Asked, failed};
use super::once::{Done, Once, again};
use crate::storage as tables;

/// Why a webhook is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the receiver is back" }))]
pub(super) struct WhyChanged {
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    pub(super) reason: Given<Reason>,
}

/// Tells a webhook again, and of all that waited meanwhile
#[utoipa::path(post, path = "/webhooks/{id}/enable", tag = "Webhooks",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; done twice it is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = WhyChanged,
    responses((status = 200, body = WebhookItem), ActionProblems))]
pub(super) async fn enable_webhook(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(WhyChanged { reason }): JsonBody<WhyChanged>,
) -> Result<Response, Problem> {
    let enable = OperatorAction::EnableWebhook;
    change(&api, &id, enable, (&caller, &headers), reason.get()).await
}

/// Tells a webhook no more for now; what is for it waits
#[utoipa::path(post, path = "/webhooks/{id}/disable", tag = "Webhooks",
    params(("id" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; done twice it is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = WhyChanged,
    responses((status = 200, body = WebhookItem), ActionProblems))]
pub(super) async fn disable_webhook(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(WhyChanged { reason }): JsonBody<WhyChanged>,
) -> Result<Response, Problem> {
    let disable = OperatorAction::DisableWebhook;
    change(&api, &id, disable, (&caller, &headers), reason.get()).await
}

/// One that is so already stays as it is, and nothing of it is recorded.
async fn change(
    api: &Api,
    id: &str,
    action: OperatorAction,
    (caller, headers): (&Caller, &HeaderMap),
    reason: &Reason,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(headers)?, caller.actor(headers)?);
    let once = Once::of(&key, &(action, id, reason))?;
    let _turn = api.turn().await;
    let found = api.find(id).await?;
    if let Some(answer) = api.answered(&mut api.reader().await?, &once).await? {
        return Ok(again(Json(answer)));
    }
    let enables = action == OperatorAction::EnableWebhook;
    let is_new = found.is_enabled() != enables;
    if is_new {
        let asked = Asked { key: &key, actor: &actor, reason };
        api.record((id, None), action, asked).await?;
    }
    let (mut transaction, now) = (api.begin().await?, (api.clock)());
    match (is_new, enables) {
        (true, true) => {
            tables::enable(&mut transaction, id).await.map_err(failed)?;
            tables::make_due(&mut transaction, id, now).await.map_err(failed)?;
        }
        (true, false) => {
            tables::disable(&mut transaction, id, reason.as_str(), now).await.map_err(failed)?;
        }
        (false, _) => {}
    }
    let webhook = WebhookItem::from(&api.find_in(&mut transaction, id).await?);
    let done = Done { answer: &webhook, endpoint_id: Some(id), is_in_log: is_new };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(Json(webhook).into_response())
}
