//! `GET /customers`, `GET /customers/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::CustomerId;
use domain::refusal::Refusal;
use event_store::keys::Vault;
use futures::future::try_join_all;
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
use super::opening::open;
use super::paging::ListParams;
use super::reading::{MinPosition, Reading};
use crate::folds::customers::CustomerRow;
use crate::projectors::Projector;
use crate::storage::customers;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustomerAnswer {
    /// The customer.
    pub id: String,
    /// Their name; `null` when it is not known or erased.
    pub name: Option<String>,
    /// Their mail address; `null` when it is not known or erased.
    pub email: Option<String>,
    /// Their telephone number; `null` when it is not known or erased.
    pub phone: Option<String>,
    /// True when they may not order any more.
    pub blocked: bool,
    /// Why they are blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True when nothing of them can be read any more.
    pub erased: bool,
    /// Business time of their registration.
    pub registered_at: DateTime<Utc>,
    /// The version of their stream.
    pub version: u64,
}

async fn opened(vault: &Vault, row: CustomerRow) -> Result<CustomerAnswer, Problem> {
    Ok(CustomerAnswer {
        id: row.id.as_str().to_owned(),
        name: open(vault, row.name.as_ref()).await?,
        email: open(vault, row.email.as_ref()).await?,
        phone: open(vault, row.phone.as_ref()).await?,
        blocked: row.blocked,
        reason: row.reason,
        erased: row.erased,
        registered_at: row.registered_at,
        version: row.version,
    })
}

/// Every customer, by id.
#[utoipa::path(get, path = "/customers", tag = "Queries", params(ListParams),
    responses((status = 200, body = Page<CustomerAnswer>), ListProblems))]
pub async fn list_customers(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Response, Problem> {
    let (paging, min) = params.parse::<String>("customers")?;
    let after = paging.after.as_deref().unwrap_or_default();
    let Reading { mut transaction, seen } = app.read(Projector::Customers, &min, &caller).await?;
    let rows = read(customers::page(&mut transaction, after, paging.one_more()).await)?;
    drop(transaction);
    let items = try_join_all(rows.into_iter().map(|row| opened(&app.vault, row))).await?;
    Ok(Answer(seen, paging.cut(items, |last| last.id.clone())).into_response())
}

/// One customer.
#[utoipa::path(get, path = "/customers/{id}", tag = "Queries",
    params(("id" = inline(PathId), Path), MinPosition),
    responses((status = 200, body = CustomerAnswer), ItemProblems))]
pub async fn get_customer(
    State(app): State<App>,
    caller: Caller,
    PathParams(id): PathParams<CustomerId>,
    QueryParams(min): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    if !caller.may_touch(Some(id.as_str())) {
        return Err(not_found(&Refusal::CustomerNotFound { customer_id: id }));
    }
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Customers, id.as_str(), &min, &caller).await?;
    let found = read(customers::find(&mut transaction, id.as_str()).await)?;
    drop(transaction);
    let row = found
        .ok_or_else(|| seen.absent(not_found(&Refusal::CustomerNotFound { customer_id: id })))?;
    Ok(Answer(seen, opened(&app.vault, row).await?).into_response())
}
