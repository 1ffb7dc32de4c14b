//! What streams share: where they come from, how many there may be, and when they end.

use std::sync::Arc;

use axum::http::HeaderMap;
use event_store::{LogIdentity, Position};
use messaging::feed::{Feed, FeedError};
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::clock::Clock;
use service_kit::described::PositionText;
use service_kit::extract::header_text;
use service_kit::position::WantedPosition;
use service_kit::problem::{Code, Problem};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::places::{Place, Places};
use crate::hub::Hub;

/// What one stream has for as long as it is open.
pub(super) struct Opened {
    end: CancellationToken,
    /// When the token has expired with which it was opened.
    expires: Option<Instant>,
    _place: Place,
}

impl Opened {
    /// Returns when the stream has to end: the service does, or the token with which it was opened has expired.
    pub(super) async fn ends(&self) {
        let expired = async {
            match self.expires {
                Some(moment) => tokio::time::sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.end.cancelled() => {}
            () = expired => {}
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Streams {
    pub(super) feed: Arc<dyn Feed>,
    pub(super) hub: Hub,
    clock: Clock,
    end: CancellationToken,
    places: Places,
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
    /// Streams of this feed, that all end when `end` is cancelled.
    pub(crate) fn new(feed: Arc<dyn Feed>, hub: Hub, clock: Clock, end: CancellationToken) -> Self {
        Self { feed, hub, clock, end, places: Places::default() }
    }

    /// One more of whoever asks, if there may be one.
    pub(super) fn open(&self, caller: &Caller) -> Result<Opened, Problem> {
        if self.end.is_cancelled() {
            let told = "the service ends; another takes over";
            return Err(Problem::from(Code::Unavailable).detail(told).retry_after(1));
        }
        let place = self.places.take(caller.known())?;
        let left = caller.known().map(|known| known.taken_until() - (self.clock)());
        // What is too long to be counted has no end.
        let expires =
            left.and_then(|left| Instant::now().checked_add(left.to_std().unwrap_or_default()));
        Ok(Opened { end: self.end.clone(), expires, _place: place })
    }

    /// The position after which a client wants to hear: what it has seen last goes before what the address says.
    pub(super) fn after(&self, headers: &HeaderMap, begins: &Begins) -> Result<Position, Problem> {
        let seen = header_text(headers, "last-event-id")?.filter(|id| !id.is_empty());
        if let Some(seen) = seen {
            let seen: WantedPosition = seen.parse().map_err(|_| {
                let wrong = "is not the `id` of an event of this stream";
                Problem::from(Code::InvalidHeader).mistake("Last-Event-ID", wrong)
            })?;
            return self.reached(&seen);
        }
        match &begins.after {
            Some(wanted) => self.reached(wanted),
            None => Ok(*self.feed.head().borrow()),
        }
    }

    /// A position of this history. One that says its history may be further than what is read here so far; a number that is so would
    /// hear nothing until the log has come there, and may be of another history, as before a restore.
    fn reached(&self, wanted: &WantedPosition) -> Result<Position, Problem> {
        let LogIdentity { log, epoch } = self.feed.identity();
        let (position, head) = (wanted.within(&log, epoch)?, *self.feed.head().borrow());
        if matches!(wanted, WantedPosition::Number(_)) && position > head {
            let told = format!("the log is at {head} here, and not at {position} yet");
            return Err(Problem::from(Code::PositionNotReached).detail(told).retry_after(1));
        }
        Ok(position)
    }
}

/// The log can't be read.
pub(super) fn unread(error: &FeedError) -> Problem {
    tracing::warn!(%error, "the log can't be read for a stream");
    Problem::from(Code::Unavailable).detail("the log can't be read now").retry_after(1)
}
