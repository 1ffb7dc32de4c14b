//! `GET /payments`, `GET /payments/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::PaymentId;
use domain::money::Currency;
use domain::refusal::Refusal;
use serde::{Deserialize, Serialize};
use service_kit::access::Caller;
use service_kit::described::{DerivedPathId, PositionText};
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::Problem;
use service_kit::responses::{ItemProblems, ListProblems};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, not_found, read, word};
use super::app::App;
use super::reading::{MinPosition, Reading};
use crate::folds::payments::PaymentRow;
use crate::projectors::Projector;
use crate::storage::payments::{self, Wanted};

/// A payment. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentAnswer {
    /// The payment.
    pub id: String,
    /// The order that it pays.
    pub order_id: String,
    /// Where it stands, such as `authorized`.
    pub status: String,
    /// Its currency; absent while nothing was asked of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What was to be held.
    pub requested: i64,
    /// What was ever held.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What was held and is no more, without having been taken.
    pub voided: i64,
    /// What was given back of what was taken.
    pub refunded: i64,
    /// What the provider did not take and a person settled by hand.
    pub settled_by_hand: i64,
    /// What the provider did not give back and a person settled by hand.
    pub refunded_by_hand: i64,
    /// Until when the provider holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why the provider refused last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was asked of the provider and is not answered for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_operation: Option<String>,
    /// The version of its stream.
    pub version: u64,
}

impl From<PaymentRow> for PaymentAnswer {
    fn from(row: PaymentRow) -> Self {
        Self {
            id: row.id.as_str().to_owned(),
            order_id: row.order_id.as_str().to_owned(),
            status: word(row.status()),
            currency: row.currency.as_ref().map(Currency::code).map(str::to_owned),
            method: row.method,
            requested: row.requested,
            authorized: row.authorized,
            captured: row.captured,
            voided: row.voided,
            refunded: row.refunded,
            settled_by_hand: row.settled_by_hand,
            refunded_by_hand: row.refunded_by_hand,
            expires_at: row.expires_at,
            code: row.code,
            open_operation: row.open.map(|(operation, _)| operation.name().to_owned()),
            version: row.version,
        }
    }
}

/// Which payments are asked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PaymentFilter {
    /// Those of this order.
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    pub order_id: Option<String>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    #[param(inline, value_type = Option<PositionText>)]
    pub min_position: Option<String>,
}

/// Payments, by id.
#[utoipa::path(get, path = "/payments", tag = "Queries",
    params(PaymentFilter),
    responses((status = 200, body = Page<PaymentAnswer>), ListProblems))]
pub async fn list_payments(
    State(app): State<App>,
    caller: Caller,
    QueryParams(filter): QueryParams<PaymentFilter>,
) -> Result<Response, Problem> {
    let page = PageParams { limit: filter.limit, cursor: filter.cursor };
    let min = MinPosition { min_position: filter.min_position };
    let wanted = Wanted { order_id: filter.order_id };
    let paging = Paging::<String>::parse(&page, "payments", &wanted)?;
    let may_see = app.may_list_of(&caller, wanted.order_id.as_deref()).await?;
    let after = paging.after.as_deref().unwrap_or_default();
    let Reading { mut transaction, seen } = app.read(Projector::Payments, &min, &caller).await?;
    let rows = read(payments::page(&mut transaction, wanted, after, paging.one_more()).await)?;
    let rows = if may_see { rows } else { Vec::new() };
    let items = rows.into_iter().map(PaymentAnswer::from).collect();
    Ok(Answer(seen, paging.cut(items, |last| last.id.clone())).into_response())
}

/// One payment.
#[utoipa::path(get, path = "/payments/{id}", tag = "Queries",
    params(("id" = inline(DerivedPathId), Path), MinPosition),
    responses((status = 200, body = PaymentAnswer), ItemProblems))]
pub async fn get_payment(
    State(app): State<App>,
    caller: Caller,
    PathParams(id): PathParams<PaymentId>,
    QueryParams(min): QueryParams<MinPosition>,
) -> Result<Response, Problem> {
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Payments, id.as_str(), &min, &caller).await?;
    let found = read(payments::find(&mut transaction, id.as_str()).await)?;
    let absent = || not_found(&Refusal::PaymentNotFound { payment_id: id.clone() });
    let row = found.ok_or_else(|| seen.absent_to(&caller, absent()))?;
    drop(transaction);
    if !app.may_see_of(&caller, row.order_id.as_str()).await? {
        return Err(absent());
    }
    Ok(Answer(seen, PaymentAnswer::from(row)).into_response())
}
