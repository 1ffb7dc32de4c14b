//! `GET /orders/{id}/stream`

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::ids::OrderId;
use service_kit::access::Caller;
use service_kit::described::{PathId, PositionText};
use service_kit::extract::{PathParams, QueryParams};
use service_kit::problem::Problem;
use service_kit::responses::ItemProblems;

use super::api::{Begins, Streams, unread};
use super::history;
use super::sent::{Gone, Line, line, send_all};
use crate::fold::read_facts;
use crate::hub::Listener;
use crate::public::OrderFacts;

/// What happens to an order, as server-sent events
///
/// Each has as `id` what `Docket-Position` would say of it, its type as `event`, and the whole public event as `data`. A browser that comes again says in
/// `Last-Event-ID` what it has seen last, and hears what came after it.
/// It ends when the token with which it was opened has expired; one may have 32 open at a time, a service 1,024.
#[utoipa::path(get, path = "/orders/{id}/stream", tag = "Streams",
    params(("id" = inline(PathId), Path),
        ("Last-Event-ID" = inline(Option<PositionText>), Header, description = "The `id` of the event that was seen last"),
        Begins),
    responses((status = 200, description = "Events, until the client or the service ends, or the token has expired", content_type = "text/event-stream", body = String), ItemProblems))]
pub(super) async fn stream_order(
    Shared(streams): Shared<Streams>,
    PathParams(id): PathParams<String>,
    QueryParams(begins): QueryParams<Begins>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || {
        let told = format!("there is no order `{id}`, or it was not placed yet");
        Problem::new(StatusCode::NOT_FOUND, "order_not_found", "There is no such order")
            .detail(told)
    };
    let order_id = OrderId::parse(&id).map_err(|_| unknown())?;
    let after = streams.after(&headers, &begins, &caller).await?;
    let facts = read_facts(&*streams.feed, &order_id).await.map_err(|error| unread(&error))?;
    let facts = facts.filter(|facts| caller.may_touch(facts.customer_id.as_deref()));
    let facts = facts.ok_or_else(unknown)?;
    let opened = streams.open(&caller)?;
    // Before the history is read: what comes after it is heard.
    let listener = streams.hub.listen();
    let (line, response) = line(streams.feed.identity());
    tokio::spawn(async move {
        let following = Following { streams, order_id, facts, line: &line, listener };
        opened.tell(&line, following.follow(after)).await;
    });
    Ok(response)
}

/// A stream that is open.
struct Following<'l> {
    streams: Streams,
    order_id: OrderId,
    facts: OrderFacts,
    line: &'l Line,
    listener: Listener,
}

impl Following<'_> {
    async fn follow(mut self, after: u64) -> Result<(), Gone> {
        self.line.come_again().await?;
        let (feed, mut seen) = (&*self.streams.feed, after);
        let before = history::of_order(feed, &self.order_id, &self.facts, after).await;
        let Ok(before) = before else { return Ok(()) };
        send_all(self.line, &before, &mut seen).await?;
        loop {
            // Who missed something comes again, and reads it.
            let Ok(Some(event)) = self.listener.next().await else {
                return self.line.come_again().await;
            };
            let is_ours = event.order_id.as_deref() == Some(self.order_id.as_str());
            if is_ours && event.position > seen {
                seen = event.position;
                self.line.send(&event).await?;
            }
        }
    }
}
