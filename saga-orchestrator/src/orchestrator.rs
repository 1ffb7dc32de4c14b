//! The orchestrator as its host sees it: started, asked, stopped.

use std::sync::Arc;

use domain::ids::{OrderId, SagaId};
use messaging::commands::CommandQueue;
use messaging::feed::Feed;
use messaging::record::Recorder;
use service_kit::access::Access;
use service_kit::clock::Clock;
use sqlx::migrate::MigrateError;
use storage::{Lease, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use utoipa_axum::router::OpenApiRouter;

use crate::http::{self, Api, Desk};
use crate::runner::{Runner, RunnerParts};
use crate::settings::Settings;
use crate::status::{Phase, SagaSummary, Status};
use crate::storage as tables;

/// Operators' actions that may wait for their turn.
pub(crate) const WAITING_ACTIONS: usize = 64;

/// Why an orchestrator did not start.
#[derive(Debug, thiserror::Error)]
#[error("the database of the sagas can't be opened")]
pub struct StartError(#[from] MigrateError);

/// A running orchestrator. Dropping it stops it after the commit that is under way.
pub struct Orchestrator {
    api: Api,
    store: Store,
    status: watch::Receiver<Status>,
    runner: JoinHandle<()>,
    stop: DropGuard,
}

impl Orchestrator {
    /// Opens the database and starts to run. Waiting for the lease and catching up go on in the background; see
    /// [`Orchestrator::status`].
    pub async fn start(
        settings: Settings,
        feed: Arc<dyn Feed>,
        queue: Arc<dyn CommandQueue>,
        recorder: Arc<dyn Recorder>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let store = tables::open(&settings.location).await?;
        let lease = match settings.lease.clone() {
            Some(lease) => Lease::shared(store.clone(), lease).await?,
            None => Lease::always(),
        };
        let stop = CancellationToken::new();
        let phase = match &settings.lease {
            Some(_) => Phase::Retrying { cause: "the lease is not asked for yet".to_owned() },
            None => Phase::CatchingUp,
        };
        let nothing = Status { phase, position: 0, sagas: [].into() };
        let (told, status) = watch::channel(nothing);
        let (actions, requests) = mpsc::channel(WAITING_ACTIONS);
        let desk = Desk { actions, recorder, clock: Arc::clone(&clock) };
        let told_by = (status.clone(), feed.freshness());
        let api = Api::new(store.clone(), feed.identity(), told_by, desk);
        let parts =
            RunnerParts { store: store.clone(), lease, feed, queue, clock, settings, status: told };
        let runner = tokio::spawn(Runner::new(parts).run(requests, stop.clone()));
        Ok(Self { api, store, status, runner, stop: stop.drop_guard() })
    }

    /// The API, without `/v1`, for those whom `access` lets in.
    pub fn router(&self, access: &Access) -> OpenApiRouter {
        http::router(self.api.clone(), access)
    }

    /// Every saga of an order, in the order in which they began.
    pub async fn summaries_of_order(
        &self,
        order_id: &OrderId,
    ) -> Result<Vec<SagaSummary>, sqlx::Error> {
        let mut reader = self.store.reader().await?;
        let sagas = tables::summaries(&mut reader, order_id.as_str()).await?;
        sagas
            .into_iter()
            .map(|saga| {
                let id = SagaId::parse(&saga.id);
                let id = id.map_err(|error| sqlx::Error::Decode(error.into()))?;
                Ok(SagaSummary { id, kind: saga.kind, state: saga.state })
            })
            .collect()
    }

    /// Where it stands now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Where it stands, as it changes.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Ends after the commit that is under way, notes when, and closes the database.
    pub async fn shutdown(self) {
        drop(self.stop);
        if let Err(error) = self.runner.await {
            tracing::error!(%error, "the saga runner ended badly");
        }
        self.store.close().await;
    }

    /// Ends at once, wherever it is, as a crash would: for tests and the simulation.
    pub async fn kill(self) {
        self.runner.abort();
        // It was cancelled, or had ended: either way it is gone now.
        drop(self.runner.await);
        self.store.close().await;
    }
}
