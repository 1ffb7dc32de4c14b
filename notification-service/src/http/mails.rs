//! `GET /mails`, `GET /mails/{id}`

use axum::Json;
use axum::extract::State as Shared;
use domain::ids::OrderId;
use serde::Deserialize;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::{self, Code, Problem};
use service_kit::responses::PageProblems;
use storage::Connection;

use super::api::{Api, failed};
use super::mail_answers::{MailItem, MailState, WholeMail};
use crate::storage::{self as tables, DeliveryRow, MAIL, MailFilter};

/// Which mails.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MailsQuery {
    /// Only those of which this became.
    state: Option<MailState>,
    /// Only those about this order.
    #[param(min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
    order_id: Option<String>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// What customers were told by mail or are to be, newest first
///
/// Whom a mail went to is not kept. They are kept for 30 days.
#[utoipa::path(get, path = "/mails", tag = "Mails", params(MailsQuery),
    responses((status = 200, body = Page<MailItem>), PageProblems))]
pub(super) async fn list_mails(
    Shared(api): Shared<Api>,
    QueryParams(query): QueryParams<MailsQuery>,
) -> Result<Json<Page<MailItem>>, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::<i64>::parse(&page, "mails", &(query.state, &query.order_id))?;
    let subject = query.order_id.as_deref().map(of_order).transpose()?;
    let filter = MailFilter { state: query.state.map(Into::into), subject: subject.as_deref() };
    let before = paging.after.unwrap_or(i64::MAX);
    let mut reader = api.reader().await?;
    let rows = tables::list_mails(&mut reader, filter, before, paging.one_more()).await;
    let Page { items, next } = paging.cut(rows.map_err(failed)?, |row| row.number);
    let item = |row| MailItem::of(row, api.mailer.as_ref());
    Ok(Json(Page { items: items.into_iter().map(item).collect(), next }))
}

/// What mails about an order are about.
fn of_order(order_id: &str) -> Result<String, Problem> {
    let order_id = OrderId::parse(order_id).map_err(|wrong| {
        Problem::from(Code::InvalidQuery).mistake("order_id", wrong.to_string())
    })?;
    Ok(format!("orders/{order_id}"))
}

/// A mail, with every attempt and what it tells
#[utoipa::path(get, path = "/mails/{id}", tag = "Mails", params(("id" = i64, Path, minimum = 1)),
    responses((status = 200, body = WholeMail), PageProblems))]
pub(super) async fn get_mail(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<i64>,
) -> Result<Json<WholeMail>, Problem> {
    let mut reader = api.reader().await?;
    let row = mail(&mut reader, id).await?;
    let attempts = tables::list_attempts(&mut reader, id).await;
    let whole = WholeMail::of(row, attempts.map_err(failed)?, api.mailer.as_ref());
    Ok(Json(whole.map_err(|error| problem::internal(&error))?))
}

/// A mail that is there.
pub(super) async fn mail(connection: &mut Connection, number: i64) -> Result<DeliveryRow, Problem> {
    let found = tables::find_delivery(connection, MAIL, number).await;
    found.map_err(failed)?.ok_or_else(|| {
        Problem::from(Code::MailNotFound).detail(format!("there is no mail {number}"))
    })
}
