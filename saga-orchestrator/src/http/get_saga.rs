//! `GET /sagas/{id}`

use axum::Json;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::problem::{Problem, ProblemBody};

use super::answers::SagaItem;
use super::api::{Api, MinPosition, failed, not_found};
use crate::storage;

/// One saga.
#[utoipa::path(get, path = "/sagas/{id}", tag = "sagas", params(("id" = String, Path, description = "The saga"), MinPosition), responses(
    (status = 200, description = "The saga", body = SagaItem),
    (status = 400, description = "The position can't be read", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The position is of another history", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "There is no such saga", body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "The position is not reached yet", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    QueryParams(MinPosition { min_position }): QueryParams<MinPosition>,
) -> Result<impl IntoResponse, Problem> {
    let position = api.position(min_position.as_ref()).await?;
    let found = storage::find_saga(&mut api.reader().await?, &id).await.map_err(failed)?;
    let (listed, _) = found.ok_or_else(|| not_found(&id))?;
    Ok((position, Json(SagaItem::from(listed))))
}
