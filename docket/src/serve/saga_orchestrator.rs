//! `docket saga-orchestrator`: reads the feed, keeps sagas in its own database, sends commands into the queue.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_nats::Client;
use axum::Router;
use futures::future::BoxFuture;
use messaging::feed::Feed;
use messaging::jetstream::{JetStreamFeed, JetStreamQueue, Names, NatsCarrier};
use saga_orchestrator::{Orchestrator, Phase, Settings, Status};
use service_kit::clock;
use service_kit::health::Health;
use storage::postgres::PostgresSettings;
use storage::{LeaseSettings, Location};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::args::{DatabaseArgs, NatsArgs};
use super::databases::SAGAS;
use super::dependencies::{LOG_OWNER, waiting, watch_nats};
use super::new_epoch::new_epoch;
use super::process::Process;
use super::recorder::AskedRecorder;
use super::registration::AdvertiseArgs;
use super::saga_states;
use crate::config::{ProcessArgs, all_there};
use crate::dev::{documented, follow_sagas, order_timeouts, report_sagas};
use crate::numbers::whole;

/// Orders whose sagas are kept in memory, some 70 MB. A queue between processes can't choose what it hands over next, so under a flood
/// many orders are under way at a time; each that was forgotten meanwhile costs a question to the database.
const CACHED_ORDERS: usize = 16_384;

/// Start the service that carries every order to its end
#[derive(Debug, clap::Args)]
#[command(mut_arg("listen", |listen| listen.default_value("127.0.0.1:8083")))]
pub(crate) struct SagaOrchestratorArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    advertise: AdvertiseArgs,
    /// Seconds from placed to confirmed, after which an order is rejected
    #[arg(long, env = "DOCKET_ORDER_DEADLINE_S", value_name = "SECONDS", default_value = "900",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    order_deadline_s: u64,
}

impl SagaOrchestratorArgs {
    /// Runs until a signal, or until the log begins a new epoch.
    pub(crate) async fn run(self) -> Result<()> {
        all_there([self.database.missing(), self.nats.missing()])?;
        let database = PostgresSettings::new(&self.database.url()?, "docket sagas")
            .context("the address of the sagas' database can't be read")?;
        let broker = self.nats.resolve()?;
        let process = Process::begin("saga-orchestrator", &self.process).await?;
        let here = process.url(self.advertise)?;
        process.requires("database", &database).await?;

        let holder = format!("process {}", std::process::id());
        let settings = Settings {
            lease: Some(LeaseSettings::new("saga-orchestrator", holder)),
            timeouts: order_timeouts(self.order_deadline_s),
            cached_orders: CACHED_ORDERS,
            ..Settings::at(Location::postgres(database, SAGAS))
        };
        let stop = CancellationToken::new();
        let client = broker.connect("saga-orchestrator").await?;
        let registered = process.register(&client, &broker.names, &here).await?;
        let starting = start(settings, client, broker.names.clone(), &process, &stop);
        let Some(started) = process.start(Box::pin(starting)).await? else {
            process.drain().await;
            return Ok(());
        };
        let Started { orchestrator, answers, feed, new_epoch } = started;
        let watched = tokio::spawn(keep_health(process.health.clone(), orchestrator.watch()));
        tokio::spawn(follow_sagas(process.health.clone(), feed.head(), orchestrator.watch()));
        let router: Router = documented(orchestrator.router(&process.access), &process.access);
        process.ready(router)?;
        let ended = process.until_stopped(new_epoch).await;
        drop(registered);
        process.drain().await;
        watched.abort();
        let _ = watched.await;
        stop.cancel();
        let _ = answers.await;
        if let Some(orchestrator) = Arc::into_inner(orchestrator) {
            orchestrator.shutdown().await;
        } else {
            tracing::warn!("someone still asks the orchestrator; its lease runs out");
        }
        ended
    }
}

struct Started {
    orchestrator: Arc<Orchestrator>,
    answers: JoinHandle<()>,
    feed: Arc<dyn Feed>,
    /// When the log begins a new epoch after what was opened here.
    new_epoch: BoxFuture<'static, String>,
}

async fn start(
    settings: Settings,
    client: Client,
    names: Names,
    process: &Process,
    stop: &CancellationToken,
) -> Result<Started> {
    tokio::spawn(watch_nats(process.health.clone(), client.clone(), names.clone(), true));
    let queue = JetStreamQueue::new(client.clone(), names.clone());
    let opening = JetStreamFeed::open(NatsCarrier::over(client.clone(), names.clone()));
    let feed: Arc<dyn Feed> = Arc::new(waiting(process, LOG_OWNER, opening).await);
    let new_epoch = new_epoch(Arc::clone(&feed));
    let recorder = Arc::new(AskedRecorder::new(client.clone(), names.clone()));
    let (feed_too, queue) = (Arc::clone(&feed), Arc::new(queue));
    let orchestrator = Orchestrator::start(settings, feed_too, queue, recorder, clock::steady());
    let orchestrator = Arc::new(orchestrator.await?);
    let answers = saga_states::serve(client, names, Arc::clone(&orchestrator), stop.clone());
    Ok(Started { orchestrator, answers: tokio::spawn(answers), feed, new_epoch })
}

/// Tells of each phase as it is entered: in the health, and in the log who is the active one.
async fn keep_health(health: Health, mut status: watch::Receiver<Status>) {
    let mut before: Option<Phase> = None;
    let (mut is_active, mut stands_by) = (false, false);
    health.active(false);
    while let Ok(now) = status.wait_for(|status| Some(&status.phase) != before.as_ref()).await {
        let phase = now.phase.clone();
        drop(now);
        report_sagas(&health, &phase);
        match &phase {
            Phase::Standby => {
                if is_active {
                    tracing::warn!("another saga-orchestrator has taken over");
                }
                if !std::mem::replace(&mut stands_by, true) {
                    tracing::info!("stands by: another saga-orchestrator is active");
                }
                is_active = false;
            }
            Phase::CatchingUp | Phase::Live => {
                if !std::mem::replace(&mut is_active, true) {
                    tracing::info!("this saga-orchestrator is the active one from now on");
                }
                stands_by = false;
            }
            // It may hold the lease or not; whoever took it shows when the database answers.
            Phase::Retrying { .. } | Phase::Faulted { .. } | Phase::Stopped => {}
        }
        health.active(is_active);
        before = Some(phase);
    }
}
