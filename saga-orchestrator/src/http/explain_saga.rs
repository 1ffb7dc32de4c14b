//! `GET /sagas/{id}/explain`

use axum::Json;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use service_kit::extract::PathParams;
use service_kit::problem::{Problem, ProblemBody};

use super::answers::ExplainedSaga;
use super::api::{Api, failed, not_found};
use crate::storage;

/// What a saga waits for, since when, until when, after how many attempts, and what can be done.
#[utoipa::path(get, path = "/sagas/{id}/explain", tag = "sagas", params(("id" = String, Path, description = "The saga")), responses(
    (status = 200, description = "The saga, explained", body = ExplainedSaga),
    (status = 404, description = "There is no such saga", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn explain_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
) -> Result<impl IntoResponse, Problem> {
    let position = api.position().await?;
    let reader = api.database.reader();
    let found = storage::find_saga(reader, &id).await.map_err(failed)?;
    let (listed, saga) = found.ok_or_else(|| not_found(&id))?;
    let sendings = storage::read_sendings(reader, &id).await.map_err(failed)?;
    let told = saga.explain();
    let explained = ExplainedSaga {
        saga: listed.into(),
        waiting_for: told.waiting_for,
        deadline: told.deadline,
        attempts: told.attempts,
        last_error: told.last_error,
        causing_position: told.causing_position,
        actions: told.actions.into_iter().map(Into::into).collect(),
        definition: saga.definition,
        commands: sendings.into_iter().map(Into::into).collect(),
    };
    Ok((position, Json(explained)))
}
