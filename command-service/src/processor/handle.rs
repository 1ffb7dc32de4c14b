//! The way in: a bounded queue of commands, and an answer for each.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use event_store::EventLog;
use service_kit::clock::Clock;
use service_kit::trace;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot::{self, error::RecvError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::backlog::Backlog;
use super::batch::{Job, Turn};
use super::lanes::{self, Entrances, Lane};
use super::observer::Observer;
use super::request::{ExecuteError, Outcome, Request};
use super::settings::ProcessorSettings;
use super::worker::Worker;

type Answered = Result<Outcome, ExecuteError>;
type Reply = oneshot::Receiver<Answered>;

/// The running processor. One per log.
#[derive(Debug)]
pub struct Processor {
    handle: ProcessorHandle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Hands commands to the processor; cheap to clone.
#[derive(Debug, Clone)]
pub struct ProcessorHandle {
    entrances: Entrances<Job>,
    lane: Lane,
    /// How long a client's command may wait to be taken into a batch.
    wait: Duration,
    /// Where there is a bound.
    backlog: Option<Arc<Backlog>>,
}

impl Processor {
    /// Starts the processor's task. `observers` hear of every commit.
    pub fn start(
        log: Arc<dyn EventLog>,
        clock: Clock,
        settings: ProcessorSettings,
        mut observers: Vec<Arc<dyn Observer>>,
    ) -> Self {
        let backlog = settings.orders.map(|most| Arc::new(Backlog::new(most)));
        observers.extend(backlog.iter().map(|backlog| Arc::clone(backlog) as _));
        let (entrances, waiting) = lanes::open(settings.queue);
        let stop = CancellationToken::new();
        let wait = settings.wait;
        let worker = Worker::new(log, clock, settings, observers);
        let task = tokio::spawn(worker.run(waiting, stop.clone()));
        let handle = ProcessorHandle { entrances, lane: Lane::Clients, wait, backlog };
        Self { handle, stop, task }
    }

    /// The way in.
    pub fn handle(&self) -> ProcessorHandle {
        self.handle.clone()
    }

    /// Takes no more commands, ends those that wait, and returns when the last is answered.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the command processor ended badly");
        }
    }
}

impl ProcessorHandle {
    /// A handle for work that the platform does by itself: clients, who wait for their answers, go first.
    #[must_use]
    pub fn for_own_work(&self) -> Self {
        Self { lane: Lane::Own, ..self.clone() }
    }

    /// Whether a command would be taken now. What is not is best turned away before anything is made of it.
    pub fn has_room(&self) -> bool {
        self.entrances.of(self.lane).capacity() > 0
    }

    /// Whether an order may be placed now: not while too many that were placed wait for the platform to begin them.
    pub fn may_place(&self) -> bool {
        self.backlog.as_ref().is_none_or(|backlog| backlog.has_room())
    }

    /// Carries a command out and answers after its commit. Dropping the future does not take the command back.
    ///
    /// Its events continue the trace that it is asked in, or else the one that its metadata names.
    pub async fn execute(&self, mut request: Request) -> Result<Outcome, ExecuteError> {
        let command = request.command.name();
        let span = tracing::info_span!(
            "command",
            otel.name = command,
            command.id = %request.command_id,
            outcome = tracing::field::Empty,
        );
        if let Some(traceparent) = trace::traceparent(&span) {
            Arc::make_mut(&mut request.metadata).traceparent = Some(traceparent);
        }
        let result = self.hand_over(request, span.clone()).instrument(span.clone()).await;
        let outcome = outcome_label(&result);
        span.record("outcome", outcome);
        metrics::counter!("docket_commands_total", "command" => command, "outcome" => outcome)
            .increment(1);
        result
    }

    async fn hand_over(&self, request: Request, span: Span) -> Result<Outcome, ExecuteError> {
        let places = matches!(request.command, Command::PlaceOrder(_) | Command::PlaceDraft(_));
        if places && !self.may_place() {
            return Err(ExecuteError::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        let turn = Turn::default();
        let job = Job::new(request, span, turn.clone(), reply);
        match self.entrances.of(self.lane).try_send(job) {
            Ok(()) => self.answered(turn, answer).await.unwrap_or(Err(ExecuteError::Stopped)),
            Err(TrySendError::Full(_)) => Err(ExecuteError::Overloaded),
            Err(TrySendError::Closed(_)) => Err(ExecuteError::Stopped),
        }
    }

    /// The answer; or, when a client's command is not even taken in time, that it will not be. The platform's own work has
    /// the time to wait.
    async fn answered(&self, turn: Turn, mut answer: Reply) -> Result<Answered, RecvError> {
        self.entrances.show_depth();
        if self.lane == Lane::Own {
            return answer.await;
        }
        match tokio::time::timeout(self.wait, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if turn.give_up() => Ok(Err(ExecuteError::Unavailable)),
            Err(_) => answer.await,
        }
    }
}

fn outcome_label(result: &Result<Outcome, ExecuteError>) -> &'static str {
    match result {
        Ok(outcome) if outcome.replayed => "replayed",
        Ok(_) => "done",
        Err(ExecuteError::Refused(_)) => "refused",
        Err(ExecuteError::Busy) => "busy",
        Err(ExecuteError::VersionMismatch { .. }) => "version_mismatch",
        Err(ExecuteError::KeyReused) => "key_reused",
        Err(ExecuteError::EventTooLarge { .. }) => "event_too_large",
        Err(ExecuteError::Overloaded) => "overloaded",
        Err(ExecuteError::OutcomeUnknown) => "outcome_unknown",
        Err(ExecuteError::Unavailable) => "unavailable",
        Err(ExecuteError::Stopped) => "stopped",
        Err(ExecuteError::Unreadable { .. }) => "unreadable",
        Err(ExecuteError::Broken) => "broken",
    }
}
