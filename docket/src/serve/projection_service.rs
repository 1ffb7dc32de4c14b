//! `docket projection-service`: folds the feed into read models of its own, and answers queries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use event_store::keys::{MasterKey, Vault};
use messaging::feed::Feed;
use messaging::jetstream::JetStreamFeed;
use projection_service::{ProjectionService, Settings};
use service_kit::health::Health;

use super::args::{Broker, NatsArgs, ProcessArgs};
use super::erasures;
use super::file::needed;
use super::person_keys::AskedKeys;
use super::process::{Process, nothing, watch_nats};
use super::saga_states::AskedStates;
use crate::config;
use crate::data_dir::DataDir;
use crate::dev::{DataLock, documented, report_models};

/// How often the models are asked how they do.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Start the service that keeps read models and answers queries
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectionServiceArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    nats: NatsArgs,
    /// File with the key that wraps people's keys; the same as that of the command-service
    #[arg(long, env = "DOCKET_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Folder of the read models, made if need be [default: data]
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl ProjectionServiceArgs {
    /// Runs until a signal.
    pub(crate) async fn run(self) -> Result<()> {
        let file = self.process.file()?;
        let broker = self.nats.resolve(&file)?;
        let key = self.master_key_file.or_else(|| file.master_key_file.clone());
        let master = existing_key(&needed("master_key_file", key)?)?;
        let folder = self.data_dir.or_else(|| file.data_dir.clone());
        let folder = folder.unwrap_or(config::Settings::default().data_dir);
        let settings = self.process.resolve(&file, "127.0.0.1:8082");
        let process = Process::begin("projection-service", &settings).await?;

        let data = DataDir::create(&folder)?;
        let _lock = DataLock::take(&data)?;
        let starting = start(&data, master, &broker, &process.health);
        let Some(models) = process.start(Box::pin(starting)).await? else {
            process.drain().await;
            return Ok(());
        };
        let models = Arc::new(models);
        let watched = tokio::spawn(keep_health(process.health.clone(), Arc::clone(&models)));
        process.ready(documented(models.router()))?;
        let ended = process.until_stopped(nothing()).await;
        process.drain().await;
        watched.abort();
        models.shutdown().await;
        ended
    }
}

/// Of a key that is not there, nothing could be opened: another one is not made.
fn existing_key(path: &Path) -> Result<MasterKey> {
    if !path.is_file() {
        bail!("there is no master key at {}; the command-service makes it", path.display());
    }
    MasterKey::load_or_create(path).context("the master key can't be read")
}

async fn start(
    data: &DataDir,
    master: MasterKey,
    broker: &Broker,
    health: &Health,
) -> Result<ProjectionService> {
    let client = broker.connect("docket projection-service").await?;
    tokio::spawn(watch_nats(health.clone(), client.clone(), true));
    let names = broker.names.clone();
    let keys = AskedKeys::new(client.clone(), names.clone());
    let vault = Arc::new(Vault::new(Arc::new(keys), master));
    let states = Arc::new(AskedStates::new(client.clone(), names.clone()));
    let feed: Arc<dyn Feed> = Arc::new(JetStreamFeed::open(client, names).await);
    tokio::spawn(erasures::follow(Arc::clone(&feed), Arc::clone(&vault)));
    let settings = Settings::at(data.projections());
    Ok(ProjectionService::start(settings, feed, vault, states).await?)
}

async fn keep_health(health: Health, models: Arc<ProjectionService>) {
    let mut ticks = tokio::time::interval(ASK_EVERY);
    loop {
        ticks.tick().await;
        report_models(&health, &models);
    }
}
