//! What goes over the wire.

use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use event_store::LogIdentity;
use futures::stream::Stream;
use service_kit::position::PositionToken;
use tokio::sync::mpsc;

use crate::public::CloudEvent;

/// How often something is sent that means nothing, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits until it comes again, in milliseconds: each another time, so that not all of them come at once.
const COME_AGAIN_MS: RangeInclusive<u64> = 1_000..=3_000;
/// How long the end of a stream waits for a client who takes nothing.
const LAST_WORD: Duration = Duration::from_secs(1);
/// Events that are ready to be sent, at most: who takes none has no more made for him.
const READY: usize = 16;

/// One end of a stream: what is put here is sent, as fast as the client takes it.
pub(super) struct Line {
    sender: mpsc::Sender<Event>,
    /// Whose positions are told.
    of: LogIdentity,
}

/// The client is gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone;

impl Line {
    /// Sends an event.
    pub(super) async fn send(&self, event: &CloudEvent) -> Result<(), Gone> {
        let LogIdentity { log, epoch } = &self.of;
        let id = PositionToken { log: log.to_string(), epoch: *epoch, position: event.position };
        let sent = Event::default().id(id.to_string()).event(event.name);
        self.sender.send(sent.data(&event.body)).await.map_err(|_| Gone)
    }

    /// Says when to come again; once more at the end, which tells a client that it was no accident.
    pub(super) async fn come_again(&self) -> Result<(), Gone> {
        let after = Duration::from_millis(fastrand::u64(COME_AGAIN_MS));
        self.sender.send(Event::default().retry(after)).await.map_err(|_| Gone)
    }

    /// The same where the stream has to end: whoever does not take it in time is not told.
    pub(super) async fn end(&self) {
        // A stream that ends needs nothing of what came of it.
        let _ = tokio::time::timeout(LAST_WORD, self.come_again()).await;
    }

    /// Returns when the client is gone.
    pub(super) async fn gone(&self) {
        self.sender.closed().await;
    }
}

/// A line for events of this log, and the answer that carries what is put into it. The answer ends when the line is dropped.
pub(super) fn line(of: LogIdentity) -> (Line, Response) {
    let (sender, receiver) = mpsc::channel(READY);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events(receiver)).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx and its like would keep events until they have enough of them.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    (Line { sender, of }, response)
}

fn events(receiver: mpsc::Receiver<Event>) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(receiver, |mut receiver| async move {
        let event = receiver.recv().await?;
        Some((Ok(event), receiver))
    })
}

/// Events of a list, to be sent.
pub(super) async fn send_all(
    line: &Line,
    events: &[Arc<CloudEvent>],
    seen: &mut u64,
) -> Result<(), Gone> {
    for event in events {
        line.send(event).await?;
        *seen = event.position;
    }
    Ok(())
}
