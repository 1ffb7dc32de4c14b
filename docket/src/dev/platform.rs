//! The composition root: opens the files, starts the services, joins their routers.
//!
//! **Invariant:** the only place that names a backend.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use command_service::payments::RunnerSettings;
use command_service::payments::simulator::Ledger;
use command_service::processor::ProcessorSettings;
use command_service::{CommandService, CommandSettings, Provider};
use domain::sagas::Timeouts;
use event_store::EventLog;
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{MasterKey, Vault};
use event_store::sqlite::SqliteLog;
use messaging::embedded::{EmbeddedFeed, EmbeddedQueue, QueueSettings};
use saga_orchestrator::Orchestrator;
use service_kit::clock;
use service_kit::health::Health;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{docs, home};
use crate::config::Settings;
use crate::files;

/// The running services.
pub(crate) struct Platform {
    log: Arc<SqliteLog>,
    commands: CommandService,
    queue: Arc<EmbeddedQueue>,
    orchestrator: Orchestrator,
    health: Health,
    metrics: Router,
}

impl Platform {
    /// Opens the data folder and starts everything.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let data = settings.data_dir.as_path();
        let clock = clock::system();
        let metrics = service_kit::metrics::install()?;
        let master = MasterKey::load_or_create(&files::master_key(data))
            .context("the master key can't be read")?;
        let request_secret = master.derive("request hashes");
        let vault = Arc::new(open_vault(data, master).await?);
        let log =
            SqliteLog::open(&files::log(data)).await.context("the event log can't be opened")?;
        let log = Arc::new(log);
        let ledger = Ledger::open(&files::provider_ledger(data))
            .await
            .context("the ledger of the simulated payment provider can't be opened")?;
        let commands = CommandService::start(
            CommandSettings {
                request_secret,
                processor: ProcessorSettings::default(),
                payments: RunnerSettings {
                    deadline: Duration::from_millis(settings.payment_deadline_ms),
                    ..RunnerSettings::default()
                },
            },
            Arc::clone(&log) as Arc<dyn EventLog>,
            Arc::clone(&vault),
            Provider::Simulated(ledger),
            Arc::clone(&clock),
        );
        let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&log) as Arc<dyn EventLog>));
        let participants = Arc::new(commands.participants());
        let queue = Arc::new(EmbeddedQueue::new(participants, QueueSettings::default()));
        let orchestrator =
            Orchestrator::start(saga_settings(settings), feed.clone(), queue.clone(), clock)
                .await?;
        let health = Health::default();
        health.up("event_log");
        let metrics = service_kit::metrics::router(metrics);
        Ok(Self { log, commands, queue, orchestrator, health, metrics })
    }

    /// Everything that is answered over HTTP.
    pub(crate) fn router(&self) -> Router {
        let services =
            OpenApiRouter::new().merge(self.commands.router()).merge(self.orchestrator.router());
        let (router, api) = OpenApiRouter::with_openapi(docs::Frame::openapi())
            .nest("/v1", services)
            .split_for_parts();
        let router = router
            .merge(docs::router(api))
            .merge(home::router(self.log.head()))
            .merge(self.health.router())
            .merge(self.metrics.clone());
        service_kit::http::finish(router)
    }

    /// Ends everything, senders before receivers. Nothing that was acknowledged is lost at any moment of it.
    pub(crate) async fn shutdown(self) {
        self.orchestrator.shutdown().await;
        self.queue.shutdown().await;
        self.commands.shutdown().await;
        self.log.close().await;
    }
}

async fn open_vault(data: &Path, master: MasterKey) -> Result<Vault> {
    let keys = SqliteKeys::open(&files::keys(data))
        .await
        .context("the keys of personal data can't be opened")?;
    Ok(Vault::new(Arc::new(keys), master))
}

fn saga_settings(settings: &Settings) -> saga_orchestrator::Settings {
    let seconds = i64::try_from(settings.order_deadline_s).unwrap_or(i64::MAX / 1_000);
    let order_deadline = chrono::Duration::seconds(seconds);
    saga_orchestrator::Settings {
        timeouts: Timeouts { order_deadline, ..Timeouts::default() },
        ..saga_orchestrator::Settings::at(files::sagas(&settings.data_dir))
    }
}
