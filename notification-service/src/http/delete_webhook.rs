//! `DELETE /webhooks/{id}`

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::Reason;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{PathParams, QueryParams};
use service_kit::operator;
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;

use super::api::{Api, Asked, failed};
use super::once::{Done, Once, again};
use crate::storage as tables;

/// Why a webhook is deleted. In the address, because not everything between here and there lets a body of a `DELETE` pass.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhyDeleted {
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[serde(default)]
    #[param(value_type = LongText, required)]
    reason: Option<Given<Reason>>,
}

/// Forgets a webhook, and all that is for it
///
/// One that was deleted before is deleted: again changes nothing.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "Webhooks",
    params(("id" = inline(PathName), Path), WhyDeleted,
        ("Idempotency-Key" = inline(KeyText), Header, description = "As every command has it; done twice it is done once"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    responses((status = 204, description = "It is gone"), ActionProblems))]
pub(super) async fn delete_webhook(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    QueryParams(WhyDeleted { reason }): QueryParams<WhyDeleted>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (key, actor) = (caller.key(&headers)?, caller.actor(&headers)?);
    let why = reason.as_ref().map(Given::get);
    let once = Once::of(&key, &(OperatorAction::DeleteWebhook, &id, why))?;
    let _turn = api.turn().await;
    let mut reader = api.reader().await?;
    if api.answered(&mut reader, &once).await?.is_some() {
        return Ok(again(StatusCode::NO_CONTENT));
    }
    if tables::is_deleted(&mut reader, &id).await.map_err(failed)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    api.find_in(&mut reader, &id).await?;
    drop(reader);
    let reason = operator::why_in_query(reason)?.value();
    let asked = Asked { key: &key, actor: &actor, reason: &reason };
    api.record((&id, None), OperatorAction::DeleteWebhook, asked).await?;
    let mut transaction = api.begin().await?;
    tables::delete_endpoint(&mut transaction, &id).await.map_err(failed)?;
    let done = Done { answer: &(), endpoint_id: None, is_in_log: true };
    api.keep_done(&mut transaction, &once, done).await?;
    api.commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
