//! `GET /products`, `GET /products/{sku}`

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
use crate::folds::products::ProductRow;
use crate::projectors::Projector;
use crate::storage::products;

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Price {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProductAnswer {
    /// Its stock keeping unit.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// The catalog price of one unit.
    pub unit_price: Price,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
    /// True when it is sold no more.
    pub discontinued: bool,
    /// The version of its stream.
    pub version: u64,
}

impl From<ProductRow> for ProductAnswer {
    fn from(row: ProductRow) -> Self {
        let currency = row.unit_price.currency().code().to_owned();
        Self {
            sku: row.sku.as_str().to_owned(),
            name: row.name,
            unit_price: Price { amount: row.unit_price.minor(), currency },
            stocked: row.stocked,
            discontinued: row.discontinued,
            version: row.version,
        }
    }
}

/// Every product, by SKU.
#[utoipa::path(get, path = "/products", tag = "Queries", params(ListParams),
    responses((status = 200, body = Page<ProductAnswer>), ListProblems))]
pub async fn list_products(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Response, Problem> {
    let (paging, min) = params.parse::<String>("products")?;
    let after = paging.after.as_deref().unwrap_or_default();
    let Reading { mut transaction, seen } = app.read(Projector::Products, &min, &caller).await?;
    let rows = read(products::page(&mut transaction, after, paging.one_more()).await)?;
    let items = rows.into_iter().map(ProductAnswer::from).collect();
    Ok(Answer(seen, paging.cut(items, |last| last.sku.clone())).into_response())
}

/// One product.
#[utoipa::path(get, path = "/products/{sku}", tag = "Queries",
    params(("sku" = inline(PathId), Path), MinPosition),
    responses((status = 200, body = ProductAnswer), ItemProblems))]
pub async fn get_product(
    State(app): State<App>,
    caller: Caller,
    PathParams(sku): PathParams<Sku>,
    QueryParams(min): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Products, sku.as_str(), &min, &caller).await?;
    let found = read(products::find(&mut transaction, sku.as_str()).await)?;
    let row = found.ok_or_else(|| seen.absent(not_found(&Refusal::ProductNotFound { sku })))?;
    Ok(Answer(seen, ProductAnswer::from(row)).into_response())
}
