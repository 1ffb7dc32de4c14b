//! `docket projection-service`: folds the feed into read models of its own, and answers queries.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use async_nats::Client;
use event_store::keys::Vault;
use futures::FutureExt as _;
use messaging::feed::Feed;
use messaging::jetstream::{JetStreamFeed, NatsCarrier};
use projection_service::{Home, ProjectionService, Settings};
use service_kit::health::Health;
use storage::LeaseSettings;
use storage::postgres::PostgresSettings;

use super::args::{Broker, DatabaseArgs, NatsArgs};
use super::dependencies::{LOG_OWNER, waiting, watch_nats};
use super::erasures;
use super::master_key;
use super::new_epoch::new_epoch;
use super::person_keys::AskedKeys;
use super::process::Process;
use super::recorder::AskedRecorder;
use super::registration::AdvertiseArgs;
use super::saga_states::AskedStates;
use crate::config::{ProcessArgs, all_there, needed};
use crate::dev::{documented, follow_models, report_models};
use crate::digest::read_models;

/// How often the models are asked how they do.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Start the service that keeps read models and answers queries
#[derive(Debug, clap::Args)]
#[command(mut_arg("listen", |listen| listen.default_value("127.0.0.1:8082")))]
pub(crate) struct ProjectionServiceArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    advertise: AdvertiseArgs,
    /// File with the key that wraps people's keys; the same as that of the command-service
    #[arg(long, env = "DOCKET_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

impl ProjectionServiceArgs {
    /// Runs until a signal, until another process has taken the lease of the models, or until the log begins a new epoch.
    pub(crate) async fn run(self) -> Result<()> {
        let no_key = self.master_key_file.is_none().then_some("master_key_file");
        all_there([self.database.missing(), self.nats.missing(), no_key])?;
        let broker = self.nats.resolve()?;
        let key = needed("master_key_file", self.master_key_file)?;
        let url = self.database.url()?;
        let home = read_models(&url)?;
        let process = Process::begin("projection-service", &self.process).await?;
        let here = process.url(self.advertise)?;
        let database = PostgresSettings::new(&url, "docket projection-service")?;
        process.requires("database", &database).await?;

        let waits = |told: String| {
            tracing::warn!("the projection-service {told}");
            process.health.down(process.name, told);
        };
        let master = process.start(Box::pin(master_key::existing(&key, waits))).await?;
        let Some(master) = master else {
            process.drain().await;
            return Ok(());
        };
        process.health.down(process.name, "starts");

        let client = broker.connect("projection-service").await?;
        let registered = process.register(&client, &broker.names, &here).await?;
        let asked = AskedKeys::new(client.clone(), broker.names.clone());
        let vault = Arc::new(Vault::new(Arc::new(asked), master));
        let wrong_key = master_key::wrong(Arc::clone(&vault), key).boxed().shared();
        let opening = unless(wrong_key.clone(), open_feed(&vault, &client, &broker, &process));
        let Some(feed) = process.start(Box::pin(opening)).await? else {
            process.drain().await;
            return Ok(());
        };
        let new_epoch = new_epoch(Arc::clone(&feed));
        let starting = || {
            let starting = start(&home, &vault, &client, &feed, &broker, &process);
            unless(wrong_key.clone(), starting).boxed()
        };
        let Some(models) = process.start_until_there(starting).await? else {
            process.drain().await;
            return Ok(());
        };
        let models = Arc::new(models);
        let watched = tokio::spawn(keep_health(process.health.clone(), Arc::clone(&models)));
        tokio::spawn(follow_models(process.health.clone(), Arc::downgrade(&models)));
        process.ready(documented(models.router(&process.access), &process.access))?;
        let fault = async {
            tokio::select! {
                why = taken(&models) => why,
                why = wrong_key => why,
                why = new_epoch => why,
            }
        };
        let ended = process.until_stopped(fault).await;
        drop(registered);
        process.drain().await;
        watched.abort();
        models.shutdown().await;
        ended
    }
}

async fn taken(models: &ProjectionService) -> String {
    models.ended().await;
    "another projection-service has taken the lease of the read models".to_owned()
}

/// Starts, unless a fault comes first: a start may wait long for another process.
async fn unless<T>(
    fault: impl Future<Output = String>,
    starting: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        started = starting => started,
        why = fault => bail!("projection-service ends: {why}"),
    }
}

async fn open_feed(
    vault: &Arc<Vault>,
    client: &Client,
    broker: &Broker,
    process: &Process,
) -> Result<Arc<dyn Feed>> {
    let names = broker.names.clone();
    tokio::spawn(watch_nats(process.health.clone(), client.clone(), names.clone(), true));
    let opening = JetStreamFeed::open(NatsCarrier::over(client.clone(), names));
    let feed: Arc<dyn Feed> = Arc::new(waiting(process, LOG_OWNER, opening).await);
    tokio::spawn(erasures::follow(Arc::clone(&feed), Arc::clone(vault)));
    Ok(feed)
}

async fn start(
    home: &Home,
    vault: &Arc<Vault>,
    client: &Client,
    feed: &Arc<dyn Feed>,
    broker: &Broker,
    process: &Process,
) -> Result<ProjectionService> {
    let names = broker.names.clone();
    let states = Arc::new(AskedStates::new(client.clone(), names.clone()));
    let recorder = Arc::new(AskedRecorder::new(client.clone(), names));
    let holder = format!("process {}", std::process::id());
    let lease = Some(LeaseSettings::new("projection-service", holder));
    let told = process.tells_of_lease();
    let settings = Settings { lease, told, ..Settings::at(home.clone()) };
    let (feed, vault) = (Arc::clone(feed), Arc::clone(vault));
    let models = ProjectionService::start(settings, feed, vault, states, recorder).await?;
    process.is_active();
    Ok(models)
}

async fn keep_health(health: Health, models: Arc<ProjectionService>) {
    let mut ticks = tokio::time::interval(ASK_EVERY);
    loop {
        ticks.tick().await;
        report_models(&health, &models);
    }
}
