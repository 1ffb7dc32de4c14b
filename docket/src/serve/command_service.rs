//! `docket command-service`: owns the log; decides, appends, publishes, takes commands from the queue.
//!
//! **Invariant:** nothing is decided before this process holds the lease and has taken the log over. One whose log was
//! taken over by another ends, so that its supervisor starts it anew as a standby.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_nats::Client;
use command_service::parking::DeadLetters;
use command_service::payments::stripe::webhook::Signatures;
use command_service::payments::{HttpProvider, RunnerSettings};
use command_service::processor::ProcessorSettings;
use command_service::{CommandService, CommandSettings, Provider, replay_erasures};
use event_store::EventLog;
use event_store::keys::postgres::PostgresKeys;
use event_store::keys::{KeyStore, Vault};
use event_store::postgres::PostgresLog;
use futures::FutureExt as _;
use messaging::jetstream::{
    Announcer, CommandConsumer, ConsumerSettings, EpochKeeper, HistoryServer, NatsCarrier,
    OwnedLog, Relay, RelaySettings,
};
use service_kit::clock;
use storage::postgres::PostgresSettings;
use storage::{Durability, Lease, LeaseSettings, Location, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::args::{Broker, LogDatabasesArgs, NatsArgs, StreamsArgs};
use super::dependencies::{watch_appends, watch_nats};
use super::master_key;
use super::own_token::own_token;
use super::person_keys;
use super::process::Process;
use super::recorder;
use super::registration::AdvertiseArgs;
use crate::api::base_url;
use crate::config::{ProcessArgs, all_there, needed};
use crate::connect::ConnectArgs;
use crate::dev::documented;
use crate::payments::{PaymentArgs, Stripe, follow_provider};

/// Start the service that decides commands and owns the log
#[derive(Debug, clap::Args)]
#[command(mut_arg("listen", |listen| listen.default_value("127.0.0.1:8081")))]
pub(crate) struct CommandServiceArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    databases: LogDatabasesArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    streams: StreamsArgs,
    #[command(flatten)]
    advertise: AdvertiseArgs,
    /// File with the key that wraps people's keys; made if there is none
    #[arg(long, env = "DOCKET_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Where the simulated payment provider is, `docket payment-simulator`
    #[arg(long, env = "DOCKET_PAYMENT_PROVIDER_URL", value_name = "URL", value_parser = base_url)]
    payment_provider_url: Option<String>,
    #[command(flatten)]
    payments: PaymentArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What the process needs to know.
struct Needs {
    log_url: String,
    keys_url: String,
    broker: Broker,
    streams: StreamsArgs,
    master_key: PathBuf,
    payments: PaymentArgs,
    /// Where the simulator is, if it takes the money.
    provider_url: Option<String>,
    /// How they are asked.
    connect: ConnectArgs,
    auth_file: Option<PathBuf>,
}

impl Needs {
    /// Who takes the money, and what makes their notices believed.
    fn provider(&self) -> Result<(Provider, Option<Signatures>)> {
        if let Some(Stripe { provider, notices }) = self.payments.stripe(&self.connect.tls)? {
            return Ok((Provider::Other(Arc::new(provider)), notices));
        }
        let url = needed("payment_provider_url", self.provider_url.as_deref())?;
        let tls = self.connect.tls()?;
        let token = own_token("command-service", &self.connect, self.auth_file.as_deref())?;
        let provider = HttpProvider::new(url, self.payments.deadline(), tls, token)
            .context("the payment provider can't be asked over HTTP")?;
        Ok((Provider::Other(Arc::new(provider)), None))
    }
}

impl CommandServiceArgs {
    /// Runs until a signal, or until another process has taken the log over.
    pub(crate) async fn run(self) -> Result<()> {
        let (key, provider) = (&self.master_key_file, &self.payment_provider_url);
        all_there([
            self.databases.missing(),
            self.nats.missing(),
            key.is_none().then_some("master_key_file"),
            provider.is_none().then_some("payment_provider_url"),
        ])?;
        let (log_url, keys_url) = self.databases.urls()?;
        let needs = Needs {
            log_url,
            keys_url,
            broker: self.nats.resolve()?,
            streams: self.streams,
            master_key: needed("master_key_file", self.master_key_file)?,
            payments: self.payments,
            provider_url: self.payment_provider_url,
            connect: self.connect,
            auth_file: self.process.auth_file.clone(),
        };
        // What is missing or wrong is said before anything is waited for.
        needs.provider()?;
        let database = |url: &str| PostgresSettings::new(url, "docket command-service");
        let (log, keys) = (database(&needs.log_url)?, database(&needs.keys_url)?);
        let process = Process::begin("command-service", &self.process).await?;
        let here = process.url(self.advertise)?;
        process.requires("database", &log).await?;
        if needs.keys_url != needs.log_url {
            process.requires("keys_database", &keys).await?;
        }
        let client = needs.broker.connect("command-service").await?;
        let names = needs.broker.names.clone();
        let registered = process.register(&client, &names, &here).await?;
        tokio::spawn(watch_nats(process.health.clone(), client.clone(), names, false));
        let starting = || Active::start(&needs, &client, &process).boxed();
        let Some(active) = process.start_until_there(starting).await? else {
            process.drain().await;
            return Ok(());
        };
        let appends = watch_appends(process.health.clone(), Arc::clone(&active.log));
        let _appends = AbortOnDropHandle::new(tokio::spawn(appends));
        let answers = active.commands.provider_answers();
        tokio::spawn(follow_provider(process.health.clone(), answers));
        let router = active.commands.router(&process.access).merge(active.commands.notices());
        let valve = active.commands.valve(gateway::is_command);
        process.ready_behind(valve, documented(router, &process.access))?;
        let ended = process.until_stopped(active.superseded()).await;
        active.commands.end_waits();
        drop(registered);
        process.drain().await;
        active.shutdown().await;
        ended
    }
}

/// What else may be wrong when tables can't be made.
const NOT_OWNER: &str = "the tables can't be brought up to date; for a role that does not own them, `docket migrate` does it";

/// Where the service has what is not the log: its lease, and what it parks.
pub(super) fn own_tables(log_url: &str) -> Result<Location> {
    let own = PostgresSettings::new(log_url, "docket command-service")?.connections(2);
    Ok(Location::postgres(own, "command_service"))
}

/// The one process that owns the log.
struct Active {
    log: Arc<PostgresLog>,
    keys: Arc<PostgresKeys>,
    letters: Arc<DeadLetters>,
    commands: CommandService,
    renewing: AbortOnDropHandle<()>,
    /// Another process has the lease.
    taken: CancellationToken,
    leases: Store,
    give_back: CancellationToken,
    /// The queue's consumer.
    taking: (CancellationToken, JoinHandle<()>),
    /// What other processes are told.
    telling: (CancellationToken, TaskTracker),
}

impl Active {
    /// Waits for the lease, takes the log over, and starts everything.
    async fn start(needs: &Needs, client: &Client, process: &Process) -> Result<Self> {
        PostgresKeys::migrate(&needs.keys_url, None).await.context(NOT_OWNER)?;
        let keys = Arc::new(PostgresKeys::open(&needs.keys_url).await?);
        let master = master_key::own(&needs.master_key, &*keys).await?;
        let secret = master.derive("request hashes");
        PostgresLog::migrate(&needs.log_url, None).await.context(NOT_OWNER)?;
        let location = own_tables(&needs.log_url)?;
        let leases = Store::open(&location, Durability::Full, 1).await?;
        let lease = Lease::shared(leases.clone(), lease_settings()).await?;
        let held = lease.acquire_telling(&process.tells_of_lease()).await;
        process.health.down(process.name, "starts");
        process.is_active();
        let give_back = CancellationToken::new();
        let taken = CancellationToken::new();
        // A start that fails keeps no lease.
        let renewing = tokio::spawn(keep_lease(held, give_back.clone(), taken.clone()));
        let renewing = AbortOnDropHandle::new(renewing);

        let log = Arc::new(PostgresLog::open(&needs.log_url).await?);
        log.take_over().await?;
        let vault = Arc::new(Vault::new(Arc::clone(&keys) as Arc<dyn KeyStore>, master));
        // Before anyone is told of a key: some may have come back with a backup.
        replay_erasures(&*log, &vault).await.context("erasures can't be applied to the keys")?;
        let letters = Arc::new(DeadLetters::open(&location, clock::system()).await?);
        let commands = start_commands(needs, secret, &log, vault)?;
        let commands = commands.with_dead_letters(Arc::clone(&letters));
        let epochs = Arc::clone(&log) as Arc<dyn EpochKeeper>;
        let owned = OwnedLog::new(Arc::clone(&log) as Arc<dyn EventLog>, epochs);
        let taking = take_commands(needs, client.clone(), &commands, &letters, &owned);
        let telling = tell_others(needs, client, owned, &keys);
        let (stop, tasks) = &telling;
        let (names, participants) = (needs.broker.names.clone(), commands.participants());
        tasks.spawn(recorder::serve(client.clone(), names, participants, stop.clone()));
        Ok(Self {
            log,
            keys,
            letters,
            commands,
            renewing,
            taken,
            leases,
            give_back,
            taking,
            telling,
        })
    }

    /// Returns when another process has taken the log over, or is about to: whoever has the lease does so next. Without
    /// anything to append this process would not hear of the first.
    async fn superseded(&self) -> String {
        let mut token = self.log.token();
        tokio::select! {
            // The log lives as long as this.
            _ = token.wait_for(Option::is_none) => {}
            () = self.taken.cancelled() => {}
        }
        "another command-service has taken the log over".to_owned()
    }

    /// Takes before it tells no more: what was appended at the end is still published.
    async fn shutdown(self) {
        let (stop, task) = self.taking;
        stop.cancel();
        let _ = task.await;
        self.commands.shutdown().await;
        let (stop, tasks) = self.telling;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        self.log.close().await;
        self.keys.close().await;
        self.letters.close().await;
        self.give_back.cancel();
        let _ = self.renewing.await;
        self.leases.close().await;
    }
}

fn lease_settings() -> LeaseSettings {
    LeaseSettings::new("command-service", format!("process {}", std::process::id()))
}

/// Renews the lease and tells when another has taken it. It only keeps two processes from taking the log from each other in
/// turn: what makes an append safe is the log's own token.
async fn keep_lease(held: storage::Held, give_back: CancellationToken, taken: CancellationToken) {
    match give_back.run_until_cancelled(held.taken()).await {
        Some(()) => taken.cancel(),
        None => held.give_back().await,
    }
}

fn start_commands(
    needs: &Needs,
    request_secret: Vec<u8>,
    log: &Arc<PostgresLog>,
    vault: Arc<Vault>,
) -> Result<CommandService> {
    let deadline = needs.payments.deadline();
    let settings = CommandSettings {
        request_secret,
        processor: ProcessorSettings::default(),
        payments: RunnerSettings { deadline, ..RunnerSettings::default() },
    };
    let (provider, notices) = needs.provider()?;
    let log = Arc::clone(log) as Arc<dyn EventLog>;
    let commands = CommandService::start(settings, log, vault, provider, clock::system());
    Ok(commands.with_stripe_notices(notices))
}

fn take_commands(
    needs: &Needs,
    client: Client,
    commands: &CommandService,
    letters: &Arc<DeadLetters>,
    owned: &Arc<OwnedLog>,
) -> (CancellationToken, JoinHandle<()>) {
    let names = needs.broker.names.clone();
    let settings =
        ConsumerSettings { commands: needs.streams.commands(), ..ConsumerSettings::default() };
    let participants = Arc::new(commands.participants());
    let parking = Arc::clone(letters) as Arc<_>;
    let consumer = CommandConsumer::new(client, names, settings, participants, parking);
    let consumer = consumer.of_log(Arc::clone(owned));
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(consumer.run(stop)))
}

fn tell_others(
    needs: &Needs,
    client: &Client,
    owned: Arc<OwnedLog>,
    keys: &Arc<PostgresKeys>,
) -> (CancellationToken, TaskTracker) {
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let names = &needs.broker.names;
    let carrier = NatsCarrier::over(client.clone(), names.clone());
    let settings = RelaySettings { events: needs.streams.events(), ..RelaySettings::default() };
    let relay = Relay::new(Arc::clone(&carrier), Arc::clone(&owned), settings);
    tasks.spawn(relay.run(stop.clone()));
    let announcer = Announcer::new(Arc::clone(&carrier), Arc::clone(&owned));
    tasks.spawn(announcer.run(stop.clone()));
    let history = HistoryServer::new(carrier, owned);
    tasks.spawn(history.run(stop.clone()));
    let keys = Arc::clone(keys) as Arc<dyn KeyStore>;
    tasks.spawn(person_keys::serve(client.clone(), names.clone(), keys, stop.clone()));
    (stop, tasks)
}
