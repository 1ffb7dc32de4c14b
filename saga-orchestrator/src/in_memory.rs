//! An orchestrator on tables in memory: the same runner, without an API. For simulation.

use std::sync::Arc;

use domain::ids::{OrderId, SagaId};
use domain::payments::Settlement;
use domain::text::Reason;
use messaging::commands::CommandQueue;
use messaging::feed::Feed;
use service_kit::clock::Clock;
use storage::Lease;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::orchestrator::WAITING_ACTIONS;
use crate::runner::{Action, ActionRequest, Runner, RunnerParts};
use crate::settings::Settings;
use crate::status::{Phase, Status};
use crate::tables::MemoryTables;

/// A running orchestrator on tables in memory. Dropping it stops it after the commit that is under way.
pub struct MemoryOrchestrator {
    status: watch::Receiver<Status>,
    actions: mpsc::Sender<ActionRequest>,
    runner: JoinHandle<()>,
    _stop: DropGuard,
}

impl MemoryOrchestrator {
    /// Starts to run. The settings' location is not looked at.
    pub fn start(
        settings: Settings,
        tables: MemoryTables,
        feed: Arc<dyn Feed>,
        queue: Arc<dyn CommandQueue>,
        clock: Clock,
    ) -> Self {
        let lease = match settings.lease.clone() {
            Some(lease) => Lease::over(Arc::new(tables.clone()), lease),
            None => Lease::always(),
        };
        let nothing = Status { phase: Phase::CatchingUp, position: 0, sagas: [].into() };
        let (told, status) = watch::channel(nothing);
        let (actions, requests) = mpsc::channel(WAITING_ACTIONS);
        let parts =
            RunnerParts { store: tables, lease, feed, queue, clock, settings, status: told };
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(parts).run(requests, stop.clone()));
        Self { status, actions, runner, _stop: stop.drop_guard() }
    }

    /// Where it stands now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Has an operator retry a saga, or resolve it. The answer, or why not.
    pub async fn act(
        &self,
        (saga_id, order_id): (SagaId, OrderId),
        key: &str,
        resolve: Option<(Settlement, Reason)>,
    ) -> Result<String, String> {
        let request = if resolve.is_some() { "resolve" } else { "retry" };
        let action = match resolve {
            Some((settlement, reason)) => Action::Resolve { settlement, reason, occurred_at: None },
            None => Action::Retry { reason: Reason::code("retried") },
        };
        let (reply, answer) = oneshot::channel();
        let (key, request) = (key.to_owned(), request.to_owned());
        let asked = ActionRequest { saga_id, order_id, action, key, request, reply };
        self.actions.try_send(asked).map_err(|error| error.to_string())?;
        match answer.await {
            Ok(Ok(answer)) => Ok(answer.body),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Ends at once, wherever it is, as a crash would.
    pub fn kill(&self) {
        self.runner.abort();
    }
}
