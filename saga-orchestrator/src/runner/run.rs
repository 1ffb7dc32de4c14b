//! The runner's loop: whatever comes next is done whole before the next thing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::OrderId;
use domain::sagas::SagaState;
use event_store::{LogIdentity, Position};
use messaging::commands::CommandQueue;
use messaging::feed::{Feed, FeedError, Freshness};
use service_kit::clock::Clock;
use service_kit::generations::Generations;
use storage::{Fence, Held, Lease};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::action::ActionRequest;
use super::follow::Follower;
use super::log_clock::LogClock;
use super::order_sagas::OrderSagas;
use crate::settings::Settings;
use crate::status::{Phase, Status};
use crate::storage::Checkpoint;
use crate::tables::Tables;

/// How long the runner waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// Nobody but a person can help.
    #[error("{cause}")]
    Fault { position: Position, cause: String },
    /// The feed can't be read now.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The database failed; whether the last commit happened is read from it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The database crashed, and its last commits with it: what they wrote is made from the log again.
    #[error("the database of the sagas crashed and lost its last commits; they are made again")]
    TakenBack,
    /// Another orchestrator may be the active one now; who asks for the lease hears whether one is.
    #[error("the lease is lost")]
    LeaseLost,
    /// A value of ours can't be written as JSON.
    #[error("a saga can't be written as JSON")]
    Json(#[source] serde_json::Error),
}

impl RunError {
    pub(super) fn bug(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// What a runner is made of.
pub(crate) struct RunnerParts<T> {
    pub(crate) store: T,
    pub(crate) lease: Lease,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) queue: Arc<dyn CommandQueue>,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) status: watch::Sender<Status>,
}

/// The one writer.
pub(crate) struct Runner<T> {
    pub(super) store: T,
    pub(super) lease: Lease,
    /// Of the lease, while it is held.
    pub(super) fence: Fence,
    pub(super) feed: Arc<dyn Feed>,
    pub(super) queue: Arc<dyn CommandQueue>,
    pub(super) clock: LogClock,
    pub(super) settings: Settings,
    pub(super) head: watch::Receiver<Position>,
    pub(super) freshness: watch::Receiver<Freshness>,
    /// The sagas of the orders that were busy last, as committed.
    pub(super) cache: Generations<OrderId, OrderSagas>,
    /// As committed.
    pub(super) checkpoint: Checkpoint,
    /// Sagas in each state, as committed.
    pub(super) sagas: HashMap<SagaState, u64>,
    /// Commands on their way, as committed.
    pub(super) commands: u64,
    /// When the last event that was folded had been appended.
    pub(super) folded_at: Option<DateTime<Utc>>,
    /// While it catches up: the log's head when it was heard first, at the start or after a silence.
    pub(super) catch_up_to: Option<Position>,
    pub(super) alive_at: Option<DateTime<Utc>>,
    pub(super) phase: Phase,
    status: watch::Sender<Status>,
}

impl<T: Tables> Runner<T> {
    pub(crate) fn new(parts: RunnerParts<T>) -> Self {
        let (head, freshness) = (parts.feed.head(), parts.feed.freshness());
        let log = LogIdentity { log: "".into(), epoch: 0 };
        Self {
            cache: Generations::new(parts.settings.cached_orders.div_ceil(2)),
            store: parts.store,
            lease: parts.lease,
            fence: Fence::Open,
            feed: parts.feed,
            queue: parts.queue,
            clock: LogClock::new(parts.clock),
            settings: parts.settings,
            head,
            freshness,
            checkpoint: Checkpoint { position: 0, event_id: None, log },
            sagas: HashMap::new(),
            commands: 0,
            folded_at: None,
            catch_up_to: None,
            alive_at: None,
            phase: Phase::CatchingUp,
            status: parts.status,
        }
    }

    /// Runs until it is stopped or faults, whenever the lease is held. What fails for now is begun anew from what the
    /// database says.
    pub(crate) async fn run(
        mut self,
        mut requests: mpsc::Receiver<ActionRequest>,
        stop: CancellationToken,
    ) {
        while let Some(held) = self.wait_for_lease(&mut requests, &stop).await {
            self.fence = held.fence();
            self.while_held(&held, &mut requests, &stop).await;
            held.give_back().await;
            if matches!(self.phase, Phase::Stopped | Phase::Faulted { .. }) {
                return;
            }
        }
        if !matches!(self.phase, Phase::Faulted { .. }) {
            self.enter(Phase::Stopped);
        }
    }

    /// Sessions, one after another, until the lease is lost, somebody has to look, or it is stopped.
    async fn while_held(
        &mut self,
        held: &Held,
        requests: &mut mpsc::Receiver<ActionRequest>,
        stop: &CancellationToken,
    ) {
        loop {
            let ended = self.session(held, requests, stop).await;
            let is_lost = matches!(ended, Err(RunError::LeaseLost));
            let phase = match ended {
                Ok(()) => Phase::Stopped,
                Err(error) => self.phase_after(&error),
            };
            self.enter(phase);
            if is_lost || !matches!(self.phase, Phase::Retrying { .. }) {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.enter(Phase::Stopped),
                () = held.lost() => return,
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.tell();
    }

    pub(super) fn phase_after(&self, error: &RunError) -> Phase {
        match error {
            RunError::Feed(FeedError::Unavailable(cause)) => {
                tracing::warn!(%cause, "the feed can't be read now");
                Phase::Retrying { cause: error.to_string() }
            }
            RunError::Database(cause) if is_passing(cause) => {
                tracing::warn!(%cause, "the database of the sagas failed");
                Phase::Retrying { cause: error.to_string() }
            }
            RunError::TakenBack | RunError::LeaseLost => {
                tracing::warn!("{error}");
                Phase::Retrying { cause: error.to_string() }
            }
            RunError::Fault { position, cause } => fault(*position, cause.clone()),
            RunError::Feed(FeedError::AnotherHistory { .. })
            | RunError::Database(_)
            | RunError::Json(_) => fault(self.checkpoint.position, error.to_string()),
        }
    }

    async fn session(
        &mut self,
        held: &Held,
        requests: &mut mpsc::Receiver<ActionRequest>,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        self.open_session().await?;
        let subscription = self.feed.subscribe(self.checkpoint.position).await?;
        let mut follower = Follower::new(subscription, self.head.clone(), self.settings.batch);
        let mut ticks = tokio::time::interval(self.settings.tick_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.go_live_when_caught_up().await?;
            tokio::select! {
                // What is seldom goes first: a log that never ends holds up neither time nor people.
                biased;
                () = stop.cancelled() => break,
                () = held.lost() => return Err(RunError::LeaseLost),
                _ = ticks.tick() => self.tick().await?,
                Some(request) = requests.recv() => self.act(request).await?,
                page = follower.next() => {
                    self.fold_page(&page?).await?;
                    follower.mind(self.commands);
                }
            }
        }
        if self.is_live() {
            self.write_alive(self.clock.now()).await?;
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), RunError> {
        if !self.is_live() {
            return Ok(());
        }
        if !self.hears_the_log() {
            self.stand_by_the_clock();
            return Ok(());
        }
        self.note_alive().await?;
        self.wake().await?;
        self.resend().await
    }

    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// The checkpoint, to be compared and kept.
    pub(super) fn here(&self) -> (Position, Option<Uuid>) {
        (self.checkpoint.position, self.checkpoint.event_id)
    }

    pub(super) fn fault_here(&self, cause: impl Into<String>) -> RunError {
        RunError::Fault { position: self.checkpoint.position, cause: cause.into() }
    }

    /// Publishes where it stands.
    pub(super) fn tell(&self) {
        metrics::gauge!("docket_saga_position").set(as_gauge(self.checkpoint.position));
        for (state, count) in &self.sagas {
            metrics::gauge!("docket_sagas", "state" => state_word(*state)).set(as_gauge(*count));
        }
        self.status.send_replace(Status {
            phase: self.phase.clone(),
            position: self.checkpoint.position,
            sagas: self.sagas.clone(),
        });
    }
}

fn fault(position: Position, cause: String) -> Phase {
    tracing::error!(position, cause, "the saga orchestrator stands still");
    metrics::gauge!("docket_saga_faulted").set(1.0);
    Phase::Faulted { position, cause }
}

/// What a later try may get past, without a restart: a database that is away, or busy, or full, or that a person puts right
/// meanwhile. A damaged file is for a person to look at first.
fn is_passing(error: &sqlx::Error) -> bool {
    let refused = matches!(error, sqlx::Error::Database(_)) && !storage::is_damaged(error);
    refused || storage::is_away(error)
}

fn state_word(state: SagaState) -> &'static str {
    match state {
        SagaState::Running => "running",
        SagaState::Waiting => "waiting",
        SagaState::Completed => "completed",
        SagaState::Compensated => "compensated",
        SagaState::NeedsAttention => "needs_attention",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; 2^53 events are far away")]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
