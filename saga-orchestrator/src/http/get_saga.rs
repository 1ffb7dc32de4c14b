//! `GET /sagas/{id}`

use axum::extract::State as Shared;
use axum::response::Response;
use service_kit::described::PathName;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::problem::Problem;
use service_kit::responses::ItemProblems;

use super::answers::SagaItem;
use super::api::{Api, MinPosition, failed, not_found};
use crate::storage;

/// One saga.
#[utoipa::path(get, path = "/sagas/{id}", tag = "Sagas", params(("id" = inline(PathName), Path, description = "The saga"), MinPosition), responses(
    (status = 200, description = "The saga", body = SagaItem),
    ItemProblems,
))]
pub(super) async fn get_saga(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    QueryParams(MinPosition { min_position }): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let seen = api.position(min_position.as_ref()).await?;
    let found = storage::find_saga(&mut api.reader().await?, &id).await.map_err(failed)?;
    let (listed, _) = found.ok_or_else(|| not_found(&id))?;
    Ok(seen.answer(SagaItem::from(listed)))
}
