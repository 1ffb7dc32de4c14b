//! `GET /webhooks/{id}/deliveries`, `GET /webhooks/{id}/deliveries/{delivery}`

use axum::Json;
use axum::extract::State as Shared;
use serde::Deserialize;
use service_kit::described::PathName;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::{self, Code, Problem};
use service_kit::responses::PageProblems;
use storage::Connection;

use super::answers::{DeliveryItem, State, WholeDelivery};
use super::api::{Api, failed};
use crate::storage::{self as tables, DeliveryFilter, DeliveryRow};

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesQuery {
    /// Only those of which this became.
    state: Option<State>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// What a webhook was told or is to be, newest first
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "Webhooks",
    params(("id" = inline(PathName), Path), DeliveriesQuery),
    responses((status = 200, body = Page<DeliveryItem>), PageProblems))]
pub(super) async fn list_deliveries(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
    QueryParams(query): QueryParams<DeliveriesQuery>,
) -> Result<Json<Page<DeliveryItem>>, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::<i64>::parse(&page, "deliveries", &(&id, query.state))?;
    let is_enabled = api.find(&id).await?.is_enabled();
    let filter = DeliveryFilter { endpoint_id: &id, state: query.state.map(Into::into) };
    let before = paging.after.unwrap_or(i64::MAX);
    let mut reader = api.reader().await?;
    let rows = tables::list_deliveries(&mut reader, filter, before, paging.one_more()).await;
    let Page { items, next } = paging.cut(rows.map_err(failed)?, |row| row.number);
    let items = items.into_iter().map(|row| DeliveryItem::of(row, is_enabled)).collect();
    Ok(Json(Page { items, next }))
}

/// A delivery, with every attempt and what is told
#[utoipa::path(get, path = "/webhooks/{id}/deliveries/{delivery}", tag = "Webhooks",
    params(("id" = inline(PathName), Path), ("delivery" = i64, Path, minimum = 1)),
    responses((status = 200, body = WholeDelivery), PageProblems))]
pub(super) async fn get_delivery(
    Shared(api): Shared<Api>,
    PathParams((id, delivery)): PathParams<(String, i64)>,
) -> Result<Json<WholeDelivery>, Problem> {
    let mut reader = api.reader().await?;
    let (row, is_enabled) = api.delivery(&mut reader, &id, delivery).await?;
    let attempts = tables::list_attempts(&mut reader, delivery).await;
    let whole = WholeDelivery::of(row, attempts.map_err(failed)?, is_enabled);
    Ok(Json(whole.map_err(|error| problem::internal(&error))?))
}

impl Api {
    /// A delivery that is there, and whether its webhook is told.
    pub(super) async fn delivery(
        &self,
        connection: &mut Connection,
        id: &str,
        number: i64,
    ) -> Result<(DeliveryRow, bool), Problem> {
        let is_enabled = self.find_in(connection, id).await?.is_enabled();
        let found = tables::find_delivery(connection, id, number).await;
        let row = found.map_err(failed)?.ok_or_else(|| {
            let told = format!("the webhook `{id}` has no delivery {number}");
            Problem::from(Code::DeliveryNotFound).detail(told)
        })?;
        Ok((row, is_enabled))
    }
}
