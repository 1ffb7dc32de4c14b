//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use event_store::LogIdentity;
use messaging::feed::Freshness;
use messaging::record::Recorder;
use serde::{Deserialize, Serialize};
use service_kit::clock::Clock;
use service_kit::described::PositionText;
use service_kit::position::{self, PositionToken, WantedPosition};
use service_kit::problem::{self, Code, Problem};
use service_kit::stale::{MayBeOld, Stale};
use storage::{Connection, Store};
use tokio::sync::{mpsc, watch};

use crate::runner::ActionRequest;
use crate::status::{Phase, Status};
use crate::storage::read_position;

/// How long an answer waits for the position that it was asked to have reached.
const WAIT_FOR_POSITION: Duration = Duration::from_secs(5);

/// `?min_position=`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MinPosition {
    /// The answer is at least as new as this: a position, or the value of a `Docket-Position` header.
    #[param(inline, value_type = Option<PositionText>)]
    pub(super) min_position: Option<WantedPosition>,
}

/// How far the sagas were folded, and why that may be less than the log, if somebody has to be told.
pub(super) struct SeenAt {
    token: PositionToken,
    stale: Option<Stale>,
}

impl SeenAt {
    /// A body that was read there, as an answer.
    pub(super) fn answer<T: Serialize>(self, body: T) -> Response {
        let mut response = MayBeOld(body, self.stale).into_response();
        response.headers_mut().insert(position::HEADER, self.token.to_header());
        response
    }
}

#[derive(Clone)]
pub(crate) struct Api {
    store: Store,
    log: LogIdentity,
    status: watch::Receiver<Status>,
    freshness: watch::Receiver<Freshness>,
    pub(super) desk: Desk,
}

/// Where operators' actions go: into the log, then to the runner.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) actions: mpsc::Sender<ActionRequest>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) clock: Clock,
}

impl Api {
    pub(crate) fn new(
        store: Store,
        log: LogIdentity,
        (status, freshness): (watch::Receiver<Status>, watch::Receiver<Freshness>),
        desk: Desk,
    ) -> Self {
        Self { store, log, status, freshness, desk }
    }

    /// The position that an answer is at least as new as; to be asked before the answer is read. Waits for the one that
    /// the client wants to see.
    pub(super) async fn position(
        &self,
        wanted: Option<&WantedPosition>,
    ) -> Result<SeenAt, Problem> {
        if let Some(wanted) = wanted {
            self.reach(wanted.within(&self.log.log, self.log.epoch)?).await?;
        }
        let position = read_position(&mut self.reader().await?).await.map_err(failed)?;
        Ok(SeenAt { token: self.token(position), stale: self.stale(position) })
    }

    /// Why that position may not be the newest: the sagas stand still, or the log is not heard.
    fn stale(&self, position: u64) -> Option<Stale> {
        if let Phase::Faulted { position, cause } = self.status.borrow().phase.clone() {
            return Some(Stale { position, cause });
        }
        (*self.freshness.borrow() == Freshness::Unknown).then(|| Stale::unheard(position))
    }

    /// The token of a position in the history that is followed.
    pub(super) fn token(&self, position: u64) -> PositionToken {
        PositionToken { log: self.log.log.to_string(), epoch: self.log.epoch, position }
    }

    /// A connection to read with.
    pub(super) async fn reader(&self) -> Result<Connection, Problem> {
        self.store.reader().await.map_err(failed)
    }

    async fn reach(&self, position: u64) -> Result<(), Problem> {
        let mut status = self.status.clone();
        let settled = status.wait_for(|status| {
            status.position >= position || matches!(status.phase, Phase::Faulted { .. })
        });
        let reached = match tokio::time::timeout(WAIT_FOR_POSITION, settled).await {
            Ok(Ok(status)) if status.position >= position => return Ok(()),
            Ok(Ok(_)) => return Err(Code::ModelFaulted.into()),
            Ok(Err(_)) | Err(_) => self.status.borrow().position,
        };
        Err(Problem::from(Code::PositionNotReached).with("position", reached).retry_after(1))
    }
}

/// The database could not answer: gone for now, or something is wrong.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
pub(super) fn failed(error: sqlx::Error) -> Problem {
    if storage::is_away(&error) {
        tracing::warn!(%error, "the database of the sagas can't be reached");
        let told = "the database of the sagas does not answer";
        return Problem::from(Code::Unavailable).detail(told).retry_after(1);
    }
    problem::internal(&error)
}

pub(super) fn not_found(id: &impl std::fmt::Display) -> Problem {
    Problem::from(Code::SagaNotFound).detail(format!("there is no saga `{id}`"))
}
