//! `GET /sagas/{id}`

use axum::Json;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use service_kit::extract::PathParams;
use service_kit::problem::{Problem, ProblemBody};

use super::answers::SagaItem;
use super::api::{Api, failed, not_found};
use crate::storage;

/// One saga.
#[utoipa::path(get, path = "/sagas/{id}", tag = "sagas", params(("id" = String, Path, description = "The saga")), responses(
    (status = 200, description = "The saga", body = SagaItem),
    (status = 404, description = "There is no such saga", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
) -> Result<impl IntoResponse, Problem> {
    let position = api.position().await?;
    let found = storage::find_saga(api.database.reader(), &id).await.map_err(failed)?;
    let (listed, _) = found.ok_or_else(|| not_found(&id))?;
    Ok((position, Json(SagaItem::from(listed))))
}
