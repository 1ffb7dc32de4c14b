//! What streams share: where they come from, how many there may be, and when they end.

use std::sync::Arc;

use axum::http::HeaderMap;
use event_store::{LogIdentity, Position};
use messaging::feed::{Feed, FeedError};
use serde::Deserialize;
use service_kit::described::PositionText;
use service_kit::extract::header_text;
use service_kit::position::WantedPosition;
use service_kit::problem::{Code, Problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;

/// Streams at a time, at most.
const MOST: usize = 4_096;

/// What streams are made of.
pub(crate) struct StreamParts {
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) hub: Hub,
    /// Every stream ends.
    pub(crate) end: CancellationToken,
}

/// Room for one stream, which is given back when it ends.
pub(super) struct Room(#[expect(dead_code, reason = "it is kept")] OwnedSemaphorePermit);

impl Drop for Room {
    fn drop(&mut self) {
        metrics::gauge!("docket_streams_open").decrement(1.0);
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(super) feed: Arc<dyn Feed>,
    pub(super) hub: Hub,
    pub(super) end: CancellationToken,
    room: Arc<Semaphore>,
}

/// Where a stream begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Begins {
    /// Begins after this position, for who can't send `Last-Event-ID` with the first request: a position, or the value of a
    /// `Docket-Position` header. From now on when absent.
    #[param(inline, value_type = Option<PositionText>)]
    pub(super) after: Option<WantedPosition>,
}

impl Streams {
    pub(crate) fn new(parts: StreamParts) -> Self {
        let StreamParts { feed, hub, end } = parts;
        Self { feed, hub, end, room: Arc::new(Semaphore::new(MOST)) }
    }

    /// Room for one more, for as long as this is kept.
    pub(super) fn room(&self) -> Result<Room, Problem> {
        if self.end.is_cancelled() {
            let told = "the service ends; another takes over";
            return Err(Problem::from(Code::Unavailable).detail(told).retry_after(1));
        }
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let told = format!("{MOST} streams are open");
            Problem::from(Code::Overloaded).detail(told).retry_after(5)
        })?;
        metrics::gauge!("docket_streams_open").increment(1.0);
        Ok(Room(permit))
    }

    /// The position after which a client wants to hear: what it has seen last goes before what the address says.
    pub(super) fn after(&self, headers: &HeaderMap, begins: &Begins) -> Result<Position, Problem> {
        let LogIdentity { log, epoch } = self.feed.identity();
        let seen = header_text(headers, "last-event-id")?.filter(|id| !id.is_empty());
        if let Some(seen) = seen {
            return seen.parse().map_err(|_| {
                let wrong = "is not the `id` of an event of this stream";
                Problem::from(Code::InvalidHeader).mistake("Last-Event-ID", wrong)
            });
        }
        match &begins.after {
            Some(wanted) => wanted.within(&log, epoch),
            None => Ok(*self.feed.head().borrow()),
        }
    }
}

/// The log can't be read.
pub(super) fn unread(error: &FeedError) -> Problem {
    tracing::warn!(%error, "the log can't be read for a stream");
    Problem::from(Code::Unavailable).detail("the log can't be read now").retry_after(1)
}
