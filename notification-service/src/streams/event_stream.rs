//! `GET /events/stream`

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use service_kit::access::Caller;
use service_kit::described::PositionText;
use service_kit::extract::QueryParams;
use service_kit::problem::Problem;
use service_kit::responses::ListProblems;

use super::api::{Begins, Opened, Streams};
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
        let following = Following { streams, opened, line, listener };
        // Whoever is gone needs no answer.
        let _ = following.follow(after).await;
    });
    Ok(response)
}

/// A stream that is open.
struct Following {
    streams: Streams,
    opened: Opened,
    line: Line,
    listener: Listener,
}

impl Following {
    async fn follow(mut self, after: u64) -> Result<(), Gone> {
        self.line.come_again().await?;
        let Some(mut seen) = self.catch_up(after).await? else { return Ok(()) };
        loop {
            let event = tokio::select! {
                biased;
                () = self.opened.ends() => return self.line.come_again().await,
                () = self.line.gone() => return Err(Gone),
                event = self.listener.next() => event,
            };
            // Who missed something comes again, and reads it.
            let Ok(Some(event)) = event else { return self.line.come_again().await };
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
            let page = history::page(&*self.streams.feed, &mut facts, at);
            let page = tokio::select! {
                biased;
                () = self.opened.ends() => {
                    self.line.come_again().await?;
                    return Ok(None);
                }
                () = self.line.gone() => return Err(Gone),
                page = page => page,
            };
            match page {
                Ok(Some((events, last))) => {
                    send_all(&self.line, &events, &mut seen).await?;
                    at = last;
                }
                Ok(None) => return Ok(Some(at.max(seen))),
                Err(_) => return Ok(None),
            }
        }
    }
}
