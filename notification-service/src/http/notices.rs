//! `GET /notices`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::ids::CustomerId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_kit::access::Caller;
use service_kit::extract::QueryParams;
use service_kit::page::{Page, PageParams, Paging};
use service_kit::position;
use service_kit::problem::{self, Code, Problem};
use service_kit::responses::PageProblems;
use service_kit::stale::MayBeOld;
use storage::Connection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::api::{Api, failed};
use crate::storage::{self as tables, NoticeFilter, NoticeRow};

/// Whose notices, and which.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NoticesQuery {
    /// The customer. Whoever is one with a token finds their own, and need not say it; everybody else has to.
    #[param(min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
    customer_id: Option<String>,
    /// Only those that are not read.
    #[serde(default)]
    unread: bool,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Something that a customer was told of their order
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct NoticeItem {
    /// Its name: the id of the public event.
    id: String,
    /// Its type, such as `parcel.shipped`.
    event_type: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Since when it is read; `null` when it is not.
    read_at: Option<DateTime<Utc>>,
    /// What it says, as webhooks are told it: the order, and what happened.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

/// A public event, as far as it is shown.
#[derive(Deserialize)]
struct Kept {
    r#type: String,
    data: Box<RawValue>,
}

impl NoticeItem {
    pub(super) fn of(row: NoticeRow) -> Result<Self, Problem> {
        let kept: serde_json::Result<Kept> = serde_json::from_str(&row.body);
        let Kept { r#type, data } = kept.map_err(|error| problem::internal(&error))?;
        let NoticeRow { event_id: id, recorded_at, read_at, .. } = row;
        Ok(Self { id, event_type: r#type, recorded_at, read_at, data })
    }
}

/// What a customer was told of their orders, newest first
///
/// What is told is what customers get mail of, whether they get any or not; it is kept for 30 days.
#[utoipa::path(get, path = "/notices", tag = "Notices", params(NoticesQuery),
    responses((status = 200, body = Page<NoticeItem>), PageProblems))]
pub(super) async fn list_notices(
    Shared(api): Shared<Api>,
    QueryParams(query): QueryParams<NoticesQuery>,
    caller: Caller,
) -> Result<Response, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::<i64>::parse(&page, "notices", &(&query.customer_id, query.unread))?;
    let customer_id = whose(&caller, query.customer_id.as_deref(), Code::InvalidQuery)?;
    let filter = NoticeFilter { customer_id, unread: query.unread };
    let before = paging.after.unwrap_or(i64::MAX);
    let mut reader = api.reader().await?;
    let seen = api.seen(&mut reader).await?;
    let rows = tables::list_notices(&mut reader, filter, before, paging.one_more()).await;
    let Page { items, next } = paging.cut(rows.map_err(failed)?, |row| row.number);
    let items = items.into_iter().map(NoticeItem::of).collect::<Result<Vec<_>, _>>()?;
    let stale = seen.stale.map(|stale| stale.told_to(&caller));
    let mut response = MayBeOld(Page { items, next }, stale).into_response();
    response.headers_mut().insert(position::HEADER, seen.token.to_header());
    Ok(response)
}

/// The customer whose notices are asked for; of another's it is as if they were not there.
pub(super) fn whose<'a>(
    caller: &'a Caller,
    said: Option<&'a str>,
    code: Code,
) -> Result<&'a str, Problem> {
    let pointer = if code == Code::InvalidBody { "/customer_id" } else { "customer_id" };
    let needed = || Problem::from(code).mistake(pointer, "say whose they are");
    let whose = said.or(caller.confined_to()).filter(|id| !id.is_empty()).ok_or_else(needed)?;
    CustomerId::parse(whose)
        .map_err(|wrong| Problem::from(code).mistake(pointer, wrong.to_string()))?;
    if caller.may_touch(Some(whose)) {
        return Ok(whose);
    }
    let told = format!("there is no customer `{whose}`");
    Err(Problem::new(StatusCode::NOT_FOUND, "customer_not_found", "There is no such customer")
        .detail(told))
}

pub(super) fn not_found(id: &str) -> Problem {
    Problem::from(Code::NoticeNotFound).detail(format!("there is no notice `{id}`"))
}

/// A notice that is there, for whoever may touch it.
pub(super) async fn notice(
    connection: &mut Connection,
    id: &str,
    caller: &Caller,
) -> Result<NoticeRow, Problem> {
    Uuid::parse_str(id).map_err(|_| not_found(id))?;
    let found = tables::find_notice(connection, id).await.map_err(failed)?;
    let found = found.filter(|notice| caller.may_touch(Some(&notice.customer_id)));
    found.ok_or_else(|| not_found(id))
}
