//! `GET /events/stream`

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use service_kit::access::Caller;
use service_kit::described::PositionText;
use service_kit::extract::QueryParams;
use service_kit::problem::Problem;
use service_kit::responses::ListProblems;

use super::api::{Begins, Streams};
use super::history;
use super::sent::{Gone, Line, line, send_all};
use crate::fold::Facts;
use crate::hub::Listener;

/// Every public event, as server-sent events
///
/// Each has as `id` what `Docket-Position` would say of it, its type as `event`, and the whole public event as `data`. A browser that comes again says in
/// `Last-Event-ID` what it has seen last, and hears what came after it.
/// It ends when the token with which it was opened has expired; one may have 32 open at a time, a service 1,024.
#[utoipa::path(get, path = "/events/stream", tag = "Streams",
    params(
        ("Last-Event-ID" = inline(Option<PositionText>), Header, description = "The `id` of the event that was seen last"),
        Begins),
    responses((status = 200, description = "Events, until the client or the service ends, or the token has expired", content_type = "text/event-stream", body = String), ListProblems))]
pub(super) async fn stream_events(
    Shared(streams): Shared<Streams>,
    QueryParams(begins): QueryParams<Begins>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = streams.after(&headers, &begins, &caller).await?;
    let opened = streams.open(&caller)?;
    // Before the history is read: what comes after it is heard.
    let listener = streams.hub.listen();
    let (line, response) = line(streams.feed.identity());
    tokio::spawn(async move {
        let following = Following { streams, line: &line, listener };
        opened.tell(&line, following.follow(after)).await;
    });
    Ok(response)
}

/// A stream that is open.
struct Following<'l> {
    streams: Streams,
    line: &'l Line,
    listener: Listener,
}

impl Following<'_> {
    async fn follow(mut self, after: u64) -> Result<(), Gone> {
        self.line.come_again().await?;
        let Some(mut seen) = self.catch_up(after).await? else { return Ok(()) };
        loop {
            // Who missed something comes again, and reads it.
            let Ok(Some(event)) = self.listener.next().await else {
                return self.line.come_again().await;
            };
            if event.position > seen {
                seen = event.position;
                self.line.send(&event).await?;
            }
        }
    }

    /// Sends what is in the log already, as fast as it is taken; where that ends, if it did.
    async fn catch_up(&self, after: u64) -> Result<Option<u64>, Gone> {
        let mut facts = Facts::new(std::sync::Arc::clone(&self.streams.feed));
        let (mut at, mut seen) = (after, after);
        loop {
            match history::page(&*self.streams.feed, &mut facts, at).await {
                Ok(Some((events, last))) => {
                    send_all(self.line, &events, &mut seen).await?;
                    at = last;
                }
                Ok(None) => return Ok(Some(at.max(seen))),
                Err(_) => return Ok(None),
            }
        }
    }
}
