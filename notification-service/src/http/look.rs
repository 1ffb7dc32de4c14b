//! `GET /webhooks`, `GET /webhooks/{id}`

use axum::Json;
use axum::extract::State as Shared;
use serde::Deserialize;
use service_kit::described::PathName;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::problem::Problem;
use service_kit::responses::PageProblems;

use super::answers::{WebhookItem, WholeWebhook};
use super::api::{Api, failed};
use crate::storage as tables;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WebhooksQuery {
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Lists webhooks, oldest first
///
/// They are not read from the log, so the answer has no `Docket-Position`.
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", params(WebhooksQuery), responses(
    (status = 200, body = Page<WebhookItem>), PageProblems))]
pub(super) async fn list_webhooks(
    Shared(api): Shared<Api>,
    QueryParams(query): QueryParams<WebhooksQuery>,
) -> Result<Json<Page<WebhookItem>>, Problem> {
    let page = PageParams { limit: query.limit, cursor: query.cursor };
    let paging = Paging::<i64>::parse(&page, "webhooks", &())?;
    let after = paging.after.unwrap_or_default();
    let endpoints = api.book.endpoints();
    let of_page = endpoints.iter().filter(|endpoint| endpoint.number > after);
    let of_page: Vec<_> = of_page.take(paging.to_read()).collect();
    let Page { items, next } = paging.cut(of_page, |endpoint| endpoint.number);
    Ok(Json(Page { items: items.into_iter().map(WebhookItem::from).collect(), next }))
}

/// A webhook, with what is still to be told
#[utoipa::path(get, path = "/webhooks/{id}", tag = "Webhooks", params(("id" = inline(PathName), Path)),
    responses((status = 200, body = WholeWebhook), PageProblems))]
pub(super) async fn get_webhook(
    Shared(api): Shared<Api>,
    PathParams(id): PathParams<String>,
) -> Result<Json<WholeWebhook>, Problem> {
    let endpoint = api.find(&id).await?;
    let waiting = tables::count_waiting(&mut api.reader().await?, &id).await.map_err(failed)?;
    Ok(Json(WholeWebhook::of(&endpoint, waiting)))
}
