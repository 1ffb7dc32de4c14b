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
use service_kit::hearing::Hearing;
use service_kit::position::WantedPosition;
use service_kit::problem::{Code, Problem};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::places::{Place, Places};
use super::sent::{Gone, Line};
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
    async fn ends(&self) {
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

    /// Tells until there is no more to tell, the stream has to end, or the client is gone: wherever it is then, also where it waits
    /// for a client who takes nothing.
    pub(super) async fn tell(self, line: &Line, telling: impl Future<Output = Result<(), Gone>>) {
        tokio::select! {
            biased;
            () = self.ends() => line.end().await,
            () = line.gone() => {}
            // Whoever is gone needs no answer.
            _ = telling => {}
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
    hearing: Hearing,
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
        let (places, hearing) = (Places::default(), Hearing::default());
        Self { feed, hub, clock, end, places, hearing }
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
    pub(super) async fn after(
        &self,
        headers: &HeaderMap,
        begins: &Begins,
        caller: &Caller,
    ) -> Result<Position, Problem> {
        let seen = header_text(headers, "last-event-id")?.filter(|id| !id.is_empty());
        if let Some(seen) = seen {
            let seen: WantedPosition = seen.parse().map_err(|_| {
                let wrong = "is not the `id` of an event of this stream";
                Problem::from(Code::InvalidHeader).mistake("Last-Event-ID", wrong)
            })?;
            return self.reached(&seen, caller).await;
        }
        match &begins.after {
            Some(wanted) => self.reached(wanted, caller).await,
            None => Ok(*self.feed.head().borrow()),
        }
    }

    /// A position of this history that the log is known to have here, if need be in a moment: who has seen it elsewhere may be a little
    /// ahead. One that it does not have would hear nothing until the log has come there, and nothing of what comes before.
    async fn reached(&self, wanted: &WantedPosition, caller: &Caller) -> Result<Position, Problem> {
        let LogIdentity { log, epoch } = self.feed.identity();
        let position = wanted.within(&log, epoch)?;
        if self.hearing.hears_of(self.feed.head(), position, caller.name()).await {
            return Ok(position);
        }
        let head = *self.feed.head().borrow();
        let told = format!(
            "the log is not known to have position {position}: it was last heard of at {head}"
        );
        Err(Problem::from(Code::PositionNotReached).detail(told).retry_after(1))
    }
}

/// The log can't be read.
pub(super) fn unread(error: &FeedError) -> Problem {
    tracing::warn!(%error, "the log can't be read for a stream");
    Problem::from(Code::Unavailable).detail("the log can't be read now").retry_after(1)
}
