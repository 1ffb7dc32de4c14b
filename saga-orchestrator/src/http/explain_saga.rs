//! `GET /sagas/{id}/explain`

use axum::extract::State as Shared;
use axum::response::Response;
use service_kit::described::PathName;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::problem::Problem;
use service_kit::responses::ItemProblems;

use super::answers::ExplainedSaga;
use super::api::{Api, MinPosition, failed, not_found};
use crate::storage;

/// What a saga waits for, since when, until when, after how many attempts, and what can be done.
#[utoipa::path(get, path = "/sagas/{id}/explain", tag = "Sagas", params(("id" = inline(PathName), Path, description = "The saga"), MinPosition), responses(
    (status = 200, description = "The saga, explained", body = ExplainedSaga),
    ItemProblems,
))]
pub(super) async fn explain_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    QueryParams(MinPosition { min_position }): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let seen = api.position(min_position.as_ref()).await?;
    let mut reader = api.reader().await?;
    let found = storage::find_saga(&mut reader, &id).await.map_err(failed)?;
    let (listed, saga) = found.ok_or_else(|| not_found(&id))?;
    let sendings = storage::read_sendings(&mut reader, &id).await.map_err(failed)?;
    let told = saga.explain();
    let explained = ExplainedSaga {
        saga: listed.into(),
        waiting_for: told.waiting_for,
        deadline: told.deadline,
        attempts: told.attempts,
        last_error: told.last_error,
        causing_position: told.causing_position,
        actions: told.actions.into_iter().map(Into::into).collect(),
        resolved: saga.resolved().map(ToString::to_string),
        definition: saga.definition,
        commands: sendings.into_iter().map(Into::into).collect(),
    };
    Ok(seen.answer(explained))
}
