//! `GET /stock`, `GET /stock/{sku}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::Sku;
use domain::refusal::Refusal;
use serde::Serialize;
use service_kit::access::Caller;
use service_kit::described::PathId;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::Page;
use service_kit::problem::Problem;
use service_kit::responses::{ItemProblems, ListProblems};
use utoipa::ToSchema;

use super::answer::{Answer, not_found, read};
use super::app::App;
use super::paging::ListParams;
use super::reading::{MinPosition, Reading};
use crate::folds::stock::StockRow;
use crate::projectors::Projector;
use crate::storage::stock;

/// The stock of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StockAnswer {
    /// The SKU.
    pub sku: String,
    /// Units that can be promised.
    pub available: i64,
    /// Units held for orders.
    pub reserved: i64,
    /// Units in the house.
    pub on_hand: i64,
    /// The version of its stream; 0 before its first units.
    pub version: u64,
}

impl From<StockRow> for StockAnswer {
    fn from(row: StockRow) -> Self {
        Self {
            sku: row.sku.as_str().to_owned(),
            available: row.available,
            reserved: row.reserved,
            on_hand: row.on_hand(),
            version: row.version,
        }
    }
}

/// Stock of every SKU, by SKU.
#[utoipa::path(get, path = "/stock", tag = "Queries", params(ListParams),
    responses((status = 200, body = Page<StockAnswer>), ListProblems))]
pub async fn list_stock(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Response, Problem> {
    let (paging, min) = params.parse::<String>("stock")?;
    let after = paging.after.as_deref().unwrap_or_default();
    let Reading { mut transaction, seen } = app.read(Projector::Stock, &min, &caller).await?;
    let rows = read(stock::page(&mut transaction, after, paging.one_more()).await)?;
    let items = rows.into_iter().map(StockAnswer::from).collect();
    Ok(Answer(seen, paging.cut(items, |last| last.sku.clone())).into_response())
}

/// The stock of one SKU.
#[utoipa::path(get, path = "/stock/{sku}", tag = "Queries",
    params(("sku" = inline(PathId), Path), MinPosition),
    responses((status = 200, body = StockAnswer), ItemProblems))]
pub async fn get_stock(
    State(app): State<App>,
    caller: Caller,
    PathParams(sku): PathParams<Sku>,
    QueryParams(min): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Stock, sku.as_str(), &min, &caller).await?;
    let found = read(stock::find(&mut transaction, sku.as_str()).await)?;
    let row = found.ok_or_else(|| seen.absent(no_stock(sku)))?;
    Ok(Answer(seen, StockAnswer::from(row)).into_response())
}

fn no_stock(sku: Sku) -> Problem {
    let detail = format!(
        "there is no stock of `{sku}`: no such product is known, or it is not a stocked one"
    );
    not_found(&Refusal::ProductNotFound { sku }).detail(detail)
}
