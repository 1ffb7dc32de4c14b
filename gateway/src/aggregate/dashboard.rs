//! `GET /dashboard`: a customer with what they ordered last, what is on its way to them, and what they have not read.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::{join_all, join3};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::access::Caller;
use service_kit::described::PositionText;
use service_kit::extract::QueryParams;
use service_kit::problem::{Code, Problem};
use service_kit::responses::ItemProblems;

use super::ask::{Asker, Behind};
use super::parts::{Missing, Old, Told, answered};

/// The most orders that are shown.
const MOST_ORDERS: u8 = 10;
/// How many are shown when nobody says.
const ORDERS: u8 = 5;
/// The most notices that are shown.
const MOST_NOTICES: u8 = 20;
/// What an order is whose parcels may be on their way.
const SENDS: [&str; 2] = ["confirmed", "fulfilling"];
/// What such a parcel is.
const OPEN: [&str; 2] = ["pending", "shipped"];
/// What may stand in a path and a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whose it is.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DashboardParams {
    /// The customer. Whoever is one with a token sees their own, and need not say it; everybody else has to.
    #[param(min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
    customer_id: Option<String>,
    /// Orders that are shown: 1 to 10, 5 when absent.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 10)]
    orders: Option<String>,
    /// Wait, at most 5 seconds, until customer and orders have reached this position.
    #[param(inline, value_type = Option<PositionText>)]
    min_position: Option<String>,
}

/// A customer with what they ordered last, what is on its way to them, and what they have not read
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Dashboard {
    /// The customer, as under `/v1/customers/{id}`; `null` when it is missing.
    #[schema(value_type = Option<Object>)]
    customer: Option<Value>,
    /// Their newest orders, as in the list of orders; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    orders: Option<Vec<Value>>,
    /// Parcels of these orders that have not arrived, as in the list of shipments; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    open_shipments: Option<Vec<Value>>,
    /// What they were told of their orders and have not marked as read, at most 20, newest first, as in the list of notices; `null` when it
    /// is missing.
    #[schema(value_type = Option<Vec<Object>>)]
    unread_notices: Option<Vec<Value>>,
    /// Whether a part is missing.
    partial: bool,
    /// Each part that is missing, and why.
    missing: Vec<Missing>,
    /// From which position each part is that is read from a model: its `Docket-Position`.
    positions: BTreeMap<&'static str, String>,
    /// Whether a part may be older than the log is; then the header `Docket-Stale` says it, too.
    stale: bool,
    /// Each part that may be, and why.
    stale_parts: Vec<Old>,
}

/// A customer with their newest orders, open shipments and unread notices
///
/// A part that can't be had now is left out and named in `missing`; when none can be had, the answer is an error. A part that may be
/// older than the log is, is named in `stale_parts`, and the answer says `Docket-Stale: true`.
#[utoipa::path(get, path = "/dashboard", tag = "Overviews", params(DashboardParams),
    responses((status = 200, body = Dashboard), ItemProblems))]
pub(super) async fn dashboard(
    State(behind): State<Behind>,
    caller: Caller,
    asker: Asker,
    QueryParams(params): QueryParams<DashboardParams>,
) -> Result<Response, Problem> {
    let of = params.customer_id.as_deref().or(caller.confined_to());
    let needed = || Problem::from(Code::InvalidQuery).mistake("customer_id", "say whose it is");
    let of = encoded(of.filter(|id| !id.is_empty()).ok_or_else(needed)?);
    let count = shown(params.orders.as_deref())?;
    let min = params.min_position.as_deref();
    let min = min.map(|at| format!("min_position={}", encoded(at))).unwrap_or_default();

    let mut told = Told::default();
    let (customer, orders, notices) = (
        format!("/v1/customers/{of}?{min}"),
        format!("/v1/orders?customer_id={of}&limit={count}&{min}"),
        format!("/v1/notices?customer_id={of}&unread=true&limit={MOST_NOTICES}"),
    );
    let [customer, orders, notices] =
        [&customer, &orders, &notices].map(|path| behind.get(&asker, path));
    let (customer, orders, notices) = join3(customer, orders, notices).await;
    // Somebody who is not there, or whom one may not see, has no dashboard; and a mistake is one for all parts.
    let is_final = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST, StatusCode::CONFLICT];
    if is_final.contains(&customer.status()) {
        return Ok(customer);
    }
    let customer = told.take("customer", customer).await;
    let orders = told.list("orders", orders).await;
    let open_shipments = if let Some(orders) = &orders {
        parcels(&behind, &asker, orders, &mut told).await
    } else {
        told.without("open_shipments", "orders");
        None
    };
    let unread_notices = told.list("unread_notices", notices).await;
    if let Some(instead) = told.nothing() {
        return Ok(instead);
    }
    let Told { positions, old: stale_parts, missing, .. } = told;
    let (partial, stale) = (!missing.is_empty(), !stale_parts.is_empty());
    let whole = Dashboard {
        customer,
        orders,
        open_shipments,
        unread_notices,
        partial,
        missing,
        positions,
        stale,
        stale_parts,
    };
    Ok(answered(whole, stale))
}

/// The parcels of these orders that have not arrived; nothing when those of any of them are missing.
async fn parcels(
    behind: &Behind,
    asker: &Asker,
    orders: &[Value],
    told: &mut Told,
) -> Option<Vec<Value>> {
    let is_any = |value: &Value, words: &[&str]| {
        value["status"].as_str().is_some_and(|status| words.contains(&status))
    };
    let sends = orders.iter().filter(|order| is_any(order, &SENDS));
    let ids: Vec<&str> = sends.filter_map(|order| order["id"].as_str()).collect();
    let paths = ids.iter().map(|id| format!("/v1/shipments?order_id={}&limit=100", encoded(id)));
    let answers = paths.map(async |path| behind.get(asker, &path).await);
    let mut open = Vec::new();
    for answer in join_all(answers).await {
        let parcels = told.list("open_shipments", answer).await?;
        open.extend(parcels.into_iter().filter(|parcel| is_any(parcel, &OPEN)));
    }
    Some(open)
}

fn shown(orders: Option<&str>) -> Result<u8, Problem> {
    let Some(text) = orders else { return Ok(ORDERS) };
    let count = text.parse().ok().filter(|count| (1..=MOST_ORDERS).contains(count));
    count.ok_or_else(|| {
        let wanted = format!("a number from 1 to {MOST_ORDERS}");
        Problem::from(Code::InvalidQuery).mistake("orders", wanted)
    })
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}
