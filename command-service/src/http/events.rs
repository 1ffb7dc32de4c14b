//! `GET /events`, `GET /orders/{id}/events`: the log itself, as it stands.

use access::Action;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use chrono::{DateTime, Utc};
use domain::ids::OrderId;
use domain::refusal::Refusal;
use domain::stream::Stream;
use event_store::RecordedEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_kit::access::Needs;
use service_kit::described::PathId;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::page::{Page, PageParams, Paging};
use service_kit::position;
use service_kit::problem::{Code, Problem, internal};
use service_kit::responses::PageProblems;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accepted::position_header;
use super::app::App;
use super::problems::refused;
use crate::codec;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_events).needs(Action::ReadLog))
        .routes(routes!(list_order_events).needs(Action::ReadOrderEvents))
}

/// An event of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EventItem {
    /// Its place in the log.
    position: u64,
    /// Its stream.
    stream: String,
    /// Its place in the stream.
    version: u64,
    /// Its type.
    r#type: String,
    /// The version of its payload's schema.
    schema_version: u32,
    /// Business time.
    occurred_at: DateTime<Utc>,
    /// When it was appended.
    recorded_at: DateTime<Utc>,
    /// By whose name: whose token it was, `client` where nobody is asked who they are, else a part of the platform. Of what an operator
    /// does to the platform (`OperatorActed`) `data` says it.
    actor: String,
    /// The command that caused it.
    command_id: String,
    /// The first command of the chain.
    correlation_id: String,
    /// The payload; personal data in it is sealed.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

impl TryFrom<RecordedEvent> for EventItem {
    type Error = serde_json::Error;

    fn try_from(event: RecordedEvent) -> Result<Self, serde_json::Error> {
        Ok(Self {
            position: event.position,
            stream: event.stream.to_string(),
            version: event.version,
            r#type: event.event_type.to_string(),
            schema_version: event.schema_version,
            occurred_at: event.metadata.occurred_at,
            recorded_at: event.recorded_at,
            actor: event.metadata.actor.to_string(),
            command_id: event.metadata.command_id.to_string(),
            correlation_id: event.metadata.correlation_id.to_string(),
            data: RawValue::from_string(event.payload)?,
        })
    }
}

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Begin after this position, or in an order's history after this version.
    #[serde(default)]
    #[param(value_type = Option<u64>, maximum = 9_223_372_036_854_775_807_i64)]
    after: Option<String>,
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl EventsQuery {
    /// Where to begin, and the page of this list. A cursor says where by itself.
    fn page(self, list: &str) -> Result<(u64, Paging<u64>), Problem> {
        let page = PageParams { limit: self.limit, cursor: self.cursor };
        let after =
            self.after.map_or(Ok(0), |after| place(&after).ok_or(after)).map_err(|after| {
                let wrong = format!("`{after}` is not a whole number from 0 to {}", i64::MAX);
                Problem::from(Code::InvalidQuery).mistake("after", wrong)
            })?;
        let paging = Paging::parse(&page, list, &())?;
        Ok((paging.after.unwrap_or(after), paging))
    }
}

/// A place in the log or in a stream, as far as any can be.
fn place(text: &str) -> Option<u64> {
    text.parse().ok().filter(|place| i64::try_from(*place).is_ok())
}

/// The events of the log, in order
#[utoipa::path(get, path = "/events", tag = "Events", params(EventsQuery), responses(
    (status = 200, body = Page<EventItem>), PageProblems))]
async fn list_events(
    State(app): State<App>,
    QueryParams(query): QueryParams<EventsQuery>,
) -> Result<Response, Problem> {
    let (after, paging) = query.page("events")?;
    let read = app.log.read_all(after, paging.to_read()).await;
    let events = read.map_err(|error| app.unreadable_log(&error))?;
    answer(&app, events, &paging, |event| event.position)
}

/// The history of an order
#[utoipa::path(get, path = "/orders/{id}/events", tag = "Orders",
    params(("id" = inline(PathId), Path), EventsQuery), responses(
    (status = 200, body = Page<EventItem>), PageProblems))]
async fn list_order_events(
    State(app): State<App>,
    PathParams(order_id): PathParams<OrderId>,
    QueryParams(query): QueryParams<EventsQuery>,
) -> Result<Response, Problem> {
    let stream = codec::stream_id(&Stream::Order(order_id.clone()));
    let (after, paging) = query.page(&stream)?;
    let read = app.log.read_stream(&stream, after, paging.to_read()).await;
    let events = read.map_err(|error| app.unreadable_log(&error))?;
    if events.is_empty() && after == 0 {
        return Err(refused(&Refusal::OrderNotFound { order_id }));
    }
    answer(&app, events, &paging, |event| event.version)
}

fn answer(
    app: &App,
    events: Vec<RecordedEvent>,
    paging: &Paging<u64>,
    key: impl Fn(&EventItem) -> u64,
) -> Result<Response, Problem> {
    let items: Result<Vec<EventItem>, _> = events.into_iter().map(EventItem::try_from).collect();
    let items = items.map_err(|error| internal(&error))?;
    let mut response = Json(paging.cut(items, key)).into_response();
    let head: HeaderValue = position_header(app, *app.log.head().borrow());
    response.headers_mut().insert(position::HEADER, head);
    Ok(response)
}
