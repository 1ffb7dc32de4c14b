//! `docket notification-service`: reads the feed, and tells webhooks of public events, and customers by mail.
//!
//! Only where customers get mail does it ask the command-service for people's keys, and hold them for minutes.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_nats::Client;
use event_store::keys::{MasterKey, Vault};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use messaging::feed::Feed;
use messaging::jetstream::{JetStreamFeed, NatsCarrier};
use notification_service::{Notifications, Settings, Status};
use service_kit::clock;
use service_kit::health::Health;
use storage::postgres::PostgresSettings;
use storage::{LeaseSettings, Location};
use tokio::sync::watch;

use super::args::{Broker, DatabaseArgs, NatsArgs};
use super::databases::NOTIFICATIONS;
use super::dependencies::{LOG_OWNER, waiting, watch_nats};
use super::erasures;
use super::master_key;
use super::new_epoch::new_epoch;
use super::person_keys::AskedKeys;
use super::process::Process;
use super::recorder::AskedRecorder;
use super::registration::AdvertiseArgs;
use crate::config::{MailArgs, ProcessArgs, WebhookArgs, needed};
use crate::dev::{SEALING, documented, report_notifications};

/// Start the service that tells webhooks, and customers by mail
#[derive(Debug, clap::Args)]
#[command(mut_arg("listen", |listen| listen.default_value("127.0.0.1:8085")))]
pub(crate) struct NotificationServiceArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    advertise: AdvertiseArgs,
    #[command(flatten)]
    webhooks: WebhookArgs,
    #[command(flatten)]
    mail: MailArgs,
    /// File with the key that wraps people's keys; secrets of webhooks are sealed with one derived of it
    #[arg(long, env = "DOCKET_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

impl NotificationServiceArgs {
    /// Runs until a signal, another process has taken the lease, a part of it has broken off, or the log begins a new epoch.
    pub(crate) async fn run(self) -> Result<()> {
        let broker = self.nats.resolve()?;
        let mail = self.mail.resolve()?;
        let key = needed("master_key_file", self.master_key_file)?;
        let database = PostgresSettings::new(&self.database.url()?, "docket notifications")
            .context("the address of the notifications' database can't be read")?;
        let process = Process::begin("notification-service", &self.process).await?;
        let here = process.url(self.advertise)?;
        process.requires("database", &database).await?;
        let waits = |told: String| {
            tracing::warn!("the notification-service {told}");
            process.health.down(process.name, told);
        };
        let master = process.start(Box::pin(master_key::existing(&key, waits))).await?;
        let Some(master) = master else {
            process.drain().await;
            return Ok(());
        };
        process.health.down(process.name, "starts");

        let client = broker.connect("notification-service").await?;
        let registered = process.register(&client, &broker.names, &here).await?;
        let opening = open_feed(&client, &broker, &process);
        let Some(feed) = process.start(Box::pin(opening)).await? else {
            process.drain().await;
            return Ok(());
        };
        let new_epoch = new_epoch(Arc::clone(&feed));
        let mut settings = settings(&database, self.webhooks, &master, &process);
        let mut wrong_key: BoxFuture<'_, String> = std::future::pending().boxed();
        if let Some(mail) = mail {
            let asked = AskedKeys::new(client.clone(), broker.names.clone());
            let vault = Arc::new(Vault::new(Arc::new(asked), master));
            tokio::spawn(erasures::follow(Arc::clone(&feed), Arc::clone(&vault)));
            wrong_key = master_key::wrong(Arc::clone(&vault), key).boxed();
            settings.mail = Some(mail.with(vault));
        }
        let starting = || start(settings.clone(), &client, &broker, &feed, &process).boxed();
        let Some(service) = process.start_until_there(starting).await? else {
            process.drain().await;
            return Ok(());
        };
        let watched = tokio::spawn(keep_health(process.health.clone(), service.watch()));
        process.ready(documented(service.router(&process.access), &process.access))?;
        let fault = async {
            tokio::select! {
                () = service.superseded() => "another notification-service has taken over".to_owned(),
                () = service.broken() => "a part of it broke off, see its log".to_owned(),
                why = wrong_key => why,
                why = new_epoch => why,
            }
        };
        let ended = process.until_stopped(fault).await;
        service.end_streams();
        drop(registered);
        process.drain().await;
        watched.abort();
        service.shutdown().await;
        ended
    }
}

fn settings(
    database: &PostgresSettings,
    webhooks: WebhookArgs,
    master: &MasterKey,
    process: &Process,
) -> Settings {
    let holder = format!("process {}", std::process::id());
    let location = Location::postgres(database.clone(), NOTIFICATIONS);
    let usual = Settings {
        lease: Some(LeaseSettings::new("notification-service", holder)),
        told: process.tells_of_lease(),
        ..Settings::at(location, master.derive(SEALING))
    };
    webhooks.put_into(usual)
}

async fn open_feed(client: &Client, broker: &Broker, process: &Process) -> Result<Arc<dyn Feed>> {
    let names = broker.names.clone();
    tokio::spawn(watch_nats(process.health.clone(), client.clone(), names.clone(), true));
    let opening = JetStreamFeed::open(NatsCarrier::over(client.clone(), names));
    Ok(Arc::new(waiting(process, LOG_OWNER, opening).await))
}

async fn start(
    settings: Settings,
    client: &Client,
    broker: &Broker,
    feed: &Arc<dyn Feed>,
    process: &Process,
) -> Result<Notifications> {
    let recorder = Arc::new(AskedRecorder::new(client.clone(), broker.names.clone()));
    let service =
        Notifications::start(settings, Arc::clone(feed), recorder, clock::system()).await?;
    process.is_active();
    Ok(service)
}

/// Tells of each change.
async fn keep_health(health: Health, mut status: watch::Receiver<Status>) {
    loop {
        report_notifications(&health, &status.borrow_and_update().phase);
        if status.changed().await.is_err() {
            return;
        }
    }
}
