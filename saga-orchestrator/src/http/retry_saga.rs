//! `POST /sagas/{id}/retry`

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::given::Given;
use domain::text::Reason;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::act::request;
use super::answers::ActedSaga;
use super::api::Api;
use crate::runner::Action;

/// Why a saga is retried, for those who look later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the provider is back" }))]
pub(super) struct RetrySaga {
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Makes the failed step's next attempt now.
#[utoipa::path(post, path = "/sagas/{id}/retry", tag = "Sagas",
    params(
        ("id" = inline(PathName), Path, description = "The saga"),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key gets the same answer"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent"),
    ),
    request_body = RetrySaga,
    responses(
        (status = 200, description = "The saga as it is now", body = ActedSaga, headers(
            ("ETag" = String, description = "The version, in quotes"),
            ("Docket-Position" = String, description = "The position that the action was based on, as a token"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when it is the stored answer of an earlier request with the same key"),
        )),
        ActionProblems,
    )
)]
pub(super) async fn retry_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(RetrySaga { reason, occurred_at }): JsonBody<RetrySaga>,
) -> Result<Response, Problem> {
    let request = request(&caller, format!("retry {id}: {}", reason.get()), occurred_at)?;
    api.act((&caller, &headers), &id, Action::Retry { reason: reason.value() }, request).await
}
