//! `POST /webhooks/{id}/enable`, `POST /webhooks/{id}/disable`

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
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
) -> Result<Json<WebhookItem>, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let _turn = api.turn().await;
    if !api.find(&id).await?.is_enabled() {
        let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
        api.record(&id, OperatorAction::EnableWebhook, asked).await?;
        let mut transaction = api.begin().await?;
        tables::enable(&mut transaction, &id).await.map_err(failed)?;
        tables::make_due(&mut transaction, &id, (api.clock)()).await.map_err(failed)?;
        api.commit(transaction).await?;
    }
    Ok(Json((&api.find(&id).await?).into()))
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
) -> Result<Json<WebhookItem>, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let _turn = api.turn().await;
    if api.find(&id).await?.is_enabled() {
        let asked = Asked { key: &key, actor: &actor, reason: reason.get() };
        api.record(&id, OperatorAction::DisableWebhook, asked).await?;
        let mut transaction = api.begin().await?;
        let why = reason.get().as_str();
        tables::disable(&mut transaction, &id, why, (api.clock)()).await.map_err(failed)?;
        api.commit(transaction).await?;
    }
    Ok(Json((&api.find(&id).await?).into()))
}
