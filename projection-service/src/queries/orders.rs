//! `GET /orders`, `GET /orders/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, NaiveTime, Utc};
use domain::ids::OrderId;
use domain::refusal::Refusal;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{PathId, PositionText, TimeOrDay};
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::Problem;
use service_kit::responses::{ItemProblems, ListProblems};
use utoipa::IntoParams;

use super::answer::{Answer, SeenAt, not_found, read};
use super::app::App;
use super::history::{AsOf, order_as_of};
use super::order_answer::{OrderAnswer, OrderSummary, whole};
use super::reading::{A_DAY, A_TIME, MinPosition, Reading, parse_day, unread};
use super::whose::may_see;
use crate::folds::order_row::OrderStatus;
use crate::projectors::Projector;
use crate::storage::order_list::{self, Wanted};
use crate::storage::orders;

/// Which orders are asked for; filters narrow each other.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OrderFilter {
    /// Those that stand here.
    pub status: Option<OrderStatus>,
    /// Those of this customer.
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    pub customer_id: Option<String>,
    /// Those with a line of this SKU.
    #[param(min_length = 1, pattern = r"^[^\x00]+$")]
    pub sku: Option<String>,
    /// Those placed at this time or later: RFC 3339, or a day.
    #[param(inline, value_type = Option<TimeOrDay>)]
    pub placed_from: Option<String>,
    /// Those placed before this time: RFC 3339, or a day, which is included.
    #[param(inline, value_type = Option<TimeOrDay>)]
    pub placed_to: Option<String>,
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

/// Up to where an order is folded anew.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AsOfParams {
    /// The order as of this version of its stream.
    #[param(value_type = Option<u64>, minimum = 1)]
    pub as_of_version: Option<String>,
    /// The order as it was known at this time: RFC 3339.
    #[param(value_type = Option<DateTime<Utc>>)]
    pub as_of: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    #[param(inline, value_type = Option<PositionText>)]
    pub min_position: Option<String>,
}

impl OrderFilter {
    fn wanted(self) -> Result<Wanted, Problem> {
        let from = self.placed_from.map(|text| time("placed_from", &text, 0)).transpose()?;
        let before = self.placed_to.map(|text| time("placed_to", &text, 1)).transpose()?;
        Ok(Wanted {
            status: self.status,
            customer_id: self.customer_id,
            sku: self.sku,
            placed_from: from,
            placed_before: before,
        })
    }
}

/// A time, or the midnight that begins a day, `later` days on.
fn time(name: &'static str, text: &str, later: u64) -> Result<DateTime<Utc>, Problem> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let day = parse_day(text).and_then(|day| day.checked_add_days(Days::new(later)));
    let wrong = || {
        let (time, day) = (A_TIME, A_DAY);
        unread(
            name,
            format!("`{text}` is neither a time such as `{time}` nor a day such as `{day}`"),
        )
    };
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc()).ok_or_else(wrong)
}

impl AsOfParams {
    fn parse(&self) -> Result<Option<AsOf>, Problem> {
        match (&self.as_of_version, &self.as_of) {
            (None, None) => Ok(None),
            (Some(text), None) => match text.parse() {
                Ok(version) if version > 0 => Ok(Some(AsOf::Version(version))),
                _ => {
                    let wrong = format!("`{text}` is not a version: a whole number, at least 1");
                    Err(unread("as_of_version", wrong))
                }
            },
            (None, Some(text)) => match DateTime::parse_from_rfc3339(text) {
                Ok(time) => Ok(Some(AsOf::Time(time.to_utc()))),
                Err(_) => {
                    Err(unread("as_of", format!("`{text}` is not a time such as `{A_TIME}`")))
                }
            },
            (Some(_), Some(_)) => {
                Err(unread("as_of", "stands beside `as_of_version`: give one of them"))
            }
        }
    }
}

/// Orders, newest first.
#[utoipa::path(get, path = "/orders", tag = "Queries",
    params(OrderFilter),
    responses((status = 200, body = Page<OrderSummary>), ListProblems))]
pub async fn list_orders(
    State(app): State<App>,
    caller: Caller,
    QueryParams(filter): QueryParams<OrderFilter>,
) -> Result<Response, Problem> {
    let page = PageParams { limit: filter.limit.clone(), cursor: filter.cursor.clone() };
    let min = MinPosition { min_position: filter.min_position.clone() };
    let wanted = filter.wanted()?;
    let mut paging = Paging::parse(&page, "orders", &wanted)?;
    let is_theirs = |named: &String| caller.may_touch(Some(named));
    let nothing = !wanted.customer_id.as_ref().is_none_or(is_theirs);
    let own = caller.confined_to().map(str::to_owned);
    let wanted = Wanted { customer_id: wanted.customer_id.or(own), ..wanted };
    let after = paging.after.take();
    let Reading { mut transaction, seen } = app.read(Projector::Orders, &min, &caller).await?;
    let rows = order_list::page(&mut transaction, wanted, after, paging.one_more()).await;
    let rows = if nothing { Vec::new() } else { read(rows)? };
    let Page { items, next } = paging.cut(rows, order_list::key);
    let items = items.iter().map(OrderSummary::from).collect();
    Ok(Answer(seen, Page { items, next }).into_response())
}

/// One order, with its lines, payment, parcels and sagas; also as it was.
#[utoipa::path(get, path = "/orders/{id}", tag = "Queries",
    params(("id" = inline(PathId), Path), AsOfParams),
    responses((status = 200, body = OrderAnswer), ItemProblems))]
pub async fn get_order(
    State(app): State<App>,
    caller: Caller,
    PathParams(id): PathParams<OrderId>,
    QueryParams(as_of): QueryParams<AsOfParams>,
) -> Result<Response, Problem> {
    let absent = || not_found(&Refusal::OrderNotFound { order_id: id.clone() });
    if let Some(up_to) = as_of.parse()? {
        if !app.may_see_of(&caller, id.as_str()).await? {
            return Err(absent());
        }
        // The log itself is read: it has reached every position that it has given out.
        as_of.min_position.as_deref().map(|text| app.wanted(text)).transpose()?;
        let found = order_as_of(&*app.feed, &id, up_to).await?;
        let (row, position) = found.ok_or_else(absent)?;
        let seen = SeenAt { token: app.token(position), stale: None };
        return Ok(Answer(seen, whole(&app.vault, &row, Vec::new()).await?).into_response());
    }
    let min = MinPosition { min_position: as_of.min_position };
    let Reading { mut transaction, seen } =
        app.read_one(Projector::Orders, id.as_str(), &min, &caller).await?;
    let found = read(orders::find(&mut transaction, id.as_str()).await)?;
    drop(transaction);
    let row = found.ok_or_else(|| seen.absent_to(&caller, absent()))?;
    if !may_see(&caller, &row) {
        return Err(absent());
    }
    let sagas = app.sagas.of_order(&row.id).await;
    Ok(Answer(seen, whole(&app.vault, &row, sagas).await?).into_response())
}
