//! `GET /sagas`

use axum::extract::State as Shared;
use axum::response::Response;
use serde::Deserialize;
use service_kit::described::PositionText;
use service_kit::extract::QueryParams;
use service_kit::page::{Page, PageParams, Paging};
use service_kit::position::WantedPosition;
use service_kit::problem::Problem;
use service_kit::responses::ListProblems;

use super::answers::{Kind, SagaItem, State};
use super::api::{Api, failed};
use crate::storage::{self, ListFilter, ListedSaga};

/// Which sagas to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those in this state.
    state: Option<State>,
    /// Only those of this kind.
    kind: Option<Kind>,
    /// Only those of this order.
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    order_id: Option<String>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// The answer is at least as new as this: a position, or the value of a `Docket-Position` header.
    #[param(inline, value_type = Option<PositionText>)]
    min_position: Option<WantedPosition>,
}

/// Lists sagas, oldest first.
#[utoipa::path(get, path = "/sagas", tag = "Sagas", params(Wanted), responses(
    (status = 200, description = "A page of sagas", body = Page<SagaItem>),
    ListProblems,
))]
pub(super) async fn list_sagas(
    Shared(api): Shared<Api>,
    QueryParams(wanted): QueryParams<Wanted>,
) -> Result<Response, Problem> {
    let page = PageParams { limit: wanted.limit, cursor: wanted.cursor };
    let paging = Paging::parse(&page, "sagas", &(wanted.state, wanted.kind, &wanted.order_id))?;
    let filter = ListFilter {
        state: wanted.state.map(Into::into),
        kind: wanted.kind.map(Into::into),
        order_id: wanted.order_id,
    };
    let seen = api.position(wanted.min_position.as_ref()).await?;
    let after = paging.after.unwrap_or_default();
    let mut reader = api.reader().await?;
    let sagas = storage::list_sagas(&mut reader, &filter, after, paging.to_read());
    let Page { items, next } = paging.cut(sagas.await.map_err(failed)?, number);
    let items: Vec<SagaItem> = items.into_iter().map(Into::into).collect();
    Ok(seen.answer(Page { items, next }))
}

fn number(saga: &ListedSaga) -> i64 {
    saga.number
}
