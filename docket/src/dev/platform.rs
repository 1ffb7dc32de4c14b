//! The composition root: opens the files, starts the services, joins their routers.
//!
//! **Invariant:** the only place that starts a service, and with `history` the only one that opens its backend to write.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use access::Action;
use anyhow::{Context, Result};
use axum::Router;
use axum::routing::post;
use command_service::parking::DeadLetters;
use command_service::payments::RunnerSettings;
use command_service::payments::simulator::Ledger;
use command_service::processor::ProcessorSettings;
use command_service::{CommandService, CommandSettings, Provider, replay_erasures};
use domain::ids::OrderId;
use domain::sagas::Timeouts;
use event_store::EventLog;
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{KeyStore, Vault};
use event_store::sqlite::SqliteLog;
use futures::future::BoxFuture;
use gateway::{Behind, Entrance, LocalServices, Policy};
use messaging::embedded::{EmbeddedFeed, EmbeddedQueue, QueueSettings};
use messaging::feed::Feed;
use messaging::record::Recorder;
use notification_service::{MailSettings, Notifications};
use projection_service::{ProjectionService, SagaStates, SagaSummary};
use saga_orchestrator::Orchestrator;
use service_kit::access::Access;
use service_kit::answers::Answers;
use service_kit::clock;
use service_kit::extract::answer_with;
use service_kit::health::Health;
use service_kit::problem::Code;
use utoipa_axum::router::OpenApiRouter;

use super::serve::metrics_router;
use super::{docs, history, home, readiness};
use crate::config::Settings;
use crate::data_dir::DataDir;
use crate::entrance;
use crate::payments::{Stripe, follow_provider};

/// How the services are asked, which are a call away: as the gateway asks those that are elsewhere.
const POLICY: Policy = Policy { deadline: Duration::from_secs(35), most_in_flight: 1_000 };

/// The running services.
pub(crate) struct Platform {
    log: Arc<SqliteLog>,
    keys: Arc<SqliteKeys>,
    ledger: Ledger,
    letters: Arc<DeadLetters>,
    commands: CommandService,
    queue: Arc<EmbeddedQueue>,
    orchestrator: Arc<Orchestrator>,
    projections: Arc<ProjectionService>,
    notifications: Arc<Notifications>,
    health: Health,
    access: Access,
    metrics: Router,
}

impl Platform {
    /// Opens the data folder and starts everything.
    pub(crate) async fn start(settings: &Settings, data: &DataDir, access: Access) -> Result<Self> {
        settings.mail.resolve()?;
        let metrics = access.guard_plain(metrics_router()?, Action::ReadMetrics);
        data.check_log()?;
        let master = data.load_master_key()?;
        // Before the log: a new one never stands beside keys that are not its own.
        let keys = Arc::new(data.open_keys(&master).await?);
        let mut log = SqliteLog::open(&data.log())
            .await
            .with_context(|| irreplaceable("the event log", &data.log()))?;
        history::check(&mut log, data).await.context("the log's history can't be checked")?;
        let log = Arc::new(log);
        let (secret, sealing) = (master.derive("request hashes"), master.derive(SEALING));
        let vault = Arc::new(Vault::new(Arc::clone(&keys) as Arc<dyn KeyStore>, master));
        // Before anything is opened: keys may have come back with a backup.
        replay_erasures(&*log, &vault).await.context("erasures can't be applied to the keys")?;

        data.check_ledger(&log)?;
        let ledger = Ledger::open(&data.ledger()).await.with_context(|| {
            irreplaceable("the ledger of the simulated provider", &data.ledger())
        })?;
        let letters = DeadLetters::open(&data.dead_letters().into(), clock::system()).await;
        let letters =
            letters.with_context(|| irreplaceable("the dead letters", &data.dead_letters()));
        let letters = Arc::new(letters?);
        let commands = start_commands(settings, ledger.clone(), &log, &vault, secret)?
            .with_dead_letters(Arc::clone(&letters));
        let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&log) as Arc<dyn EventLog>));
        let participants = Arc::new(commands.participants());
        let recorder = Arc::clone(&participants);
        let queue = Arc::new(EmbeddedQueue::new(participants, QueueSettings::default()));
        let orchestrator = Orchestrator::start(
            saga_settings(settings, data),
            feed.clone(),
            queue.clone(),
            recorder.clone(),
            clock::steady(),
        );
        let orchestrator =
            orchestrator.await.with_context(|| irreplaceable("the sagas", &data.sagas()));
        let orchestrator = Arc::new(orchestrator?);
        let (told, keys_of_people) = (recorder.clone(), Arc::clone(&vault));
        let projections = start_models(data, feed.clone(), vault, &orchestrator, recorder).await?;
        let mail = settings.mail.resolve()?.map(|mail| mail.with(keys_of_people));
        let notifications = start_notifications(settings, mail, data, sealing, feed, told).await?;

        let health = Health::default();
        entrance::say(&access, &health);
        readiness::report(&health, &*log, &orchestrator, &projections);
        readiness::follow(&health, &log.head(), &orchestrator, &projections);
        tokio::spawn(follow_provider(health.clone(), commands.provider_answers()));
        tokio::spawn(readiness::keep(
            health.clone(),
            Arc::downgrade(&(Arc::clone(&log) as Arc<dyn EventLog>)),
            Arc::downgrade(&orchestrator),
            Arc::downgrade(&projections),
            Arc::downgrade(&notifications),
        ));
        Ok(Self {
            log,
            keys,
            ledger,
            letters,
            commands,
            queue,
            orchestrator,
            projections,
            notifications,
            health,
            access,
            metrics,
        })
    }

    /// Everything that is answered over HTTP; the page shows an order that is paid by this method.
    pub(crate) fn router(&self, entrance: &Entrance, payment_method: &'static str) -> Answers {
        let open = self.access.is_open();
        let access = &self.access.behind_an_entrance();
        let services = OpenApiRouter::new()
            .merge(self.commands.router(access))
            .merge(self.projections.router(access))
            .merge(self.orchestrator.router(access))
            .merge(self.notifications.router(access));
        let places = LocalServices::new(POLICY);
        let behind = places.around(Router::new().nest("/v1", services.clone().into()));
        let aggregates = gateway::aggregates(Behind::Local(behind), access);
        // Beside whatever asks for a token, and explained with the rest.
        let (notices, said_of_notices) = self.commands.notices().split_for_parts();
        let mut services = services.merge(aggregates);
        services.get_openapi_mut().merge(said_of_notices);
        let (services, explained) = docs::described(services, access);
        let health = self.health.clone();
        let behind = Arc::new(move || health.furthest_behind().unwrap_or_default());
        let guard = entrance.guard(&self.access, behind);
        let api = places.behind(&guard, services);
        // Of a provider that tells nothing here there is nothing to be signed, and nobody is asked for a token either.
        let of_others = post(|| answer_with(Code::NotFound)).fallback(guard.says(Code::NotFound));
        let notices = notices
            .method_not_allowed_fallback(guard.says(Code::MethodNotAllowed))
            .route("/payments/webhooks/{provider}", of_others);
        let notices = Router::new().nest("/v1", notices);
        let head = open.then(|| self.log.head());
        let home = home::router(home::Shown { head, payment_method: Some(payment_method), open });
        let others = notices.merge(explained).merge(home).merge(self.metrics.clone());
        let others = entrance.limit(others).merge(self.health.router());
        let valve = places.valve().or(self.commands.valve(gateway::is_command));
        entrance.edge(valve.before(api.merge(service_kit::http::finish(others))))
    }

    /// Says that it is not ready any more.
    pub(crate) fn is_to_end(&self) {
        self.health.ends("docket");
    }

    /// Ends streams, and the waits for orders' decisions, which may be longer than a stop may take.
    pub(crate) fn end_waits(&self) {
        self.commands.end_waits();
        self.notifications.end_streams();
    }

    /// Ends everything, senders before receivers. Nothing that was acknowledged is lost at any moment of it.
    pub(crate) async fn shutdown(self) {
        if let Some(orchestrator) = Arc::into_inner(self.orchestrator) {
            orchestrator.shutdown().await;
        }
        self.queue.shutdown().await;
        self.commands.shutdown().await;
        self.letters.close().await;
        self.ledger.close().await;
        if let Some(notifications) = Arc::into_inner(self.notifications) {
            notifications.shutdown().await;
        }
        self.projections.shutdown().await;
        self.keys.close().await;
        self.log.close().await;
    }
}

/// What the key is derived for that seals the secrets of webhooks.
pub(crate) const SEALING: &str = "webhook secrets";

/// What a file is that can't be opened, and that no start touches: nothing else knows what it holds.
fn irreplaceable(what: &str, path: &Path) -> String {
    let shown = path.display();
    format!(
        "{what} can't be opened; nothing was changed. If {shown} is damaged, put it back from your backup"
    )
}

fn start_commands(
    settings: &Settings,
    ledger: Ledger,
    log: &Arc<SqliteLog>,
    vault: &Arc<Vault>,
    request_secret: Vec<u8>,
) -> Result<CommandService> {
    let (deadline, stripe) =
        (settings.payments.deadline(), settings.payments.stripe(&settings.others)?);
    let settings = CommandSettings {
        request_secret,
        processor: ProcessorSettings::default(),
        payments: RunnerSettings { deadline, ..RunnerSettings::default() },
    };
    let log = Arc::clone(log) as Arc<dyn EventLog>;
    let (provider, notices) = match stripe {
        Some(Stripe { provider, notices }) => (Provider::Other(Arc::new(provider)), notices),
        None => (Provider::Simulated(ledger), None),
    };
    let commands =
        CommandService::start(settings, log, Arc::clone(vault), provider, clock::system());
    Ok(commands.with_stripe_notices(notices))
}

async fn start_models(
    data: &DataDir,
    feed: Arc<dyn Feed>,
    vault: Arc<Vault>,
    orchestrator: &Arc<Orchestrator>,
    recorder: Arc<dyn Recorder>,
) -> Result<Arc<ProjectionService>> {
    let models = projection_service::Settings::at(data.projections());
    let states = Arc::new(States(Arc::downgrade(orchestrator)));
    let started = ProjectionService::start(models, feed, vault, states, recorder).await?;
    Ok(Arc::new(started))
}

async fn start_notifications(
    settings: &Settings,
    mail: Option<MailSettings>,
    data: &DataDir,
    sealing: Vec<u8>,
    feed: Arc<dyn Feed>,
    recorder: Arc<dyn Recorder>,
) -> Result<Arc<Notifications>> {
    let usual = notification_service::Settings::at(data.notifications(), sealing);
    let usual = notification_service::Settings { mail, ..usual };
    let settings = settings.webhooks.clone().put_into(usual);
    let started = Notifications::start(settings, feed, recorder, clock::system()).await;
    let notifications =
        started.with_context(|| irreplaceable("the webhooks", &data.notifications()))?;
    Ok(Arc::new(notifications))
}

fn saga_settings(settings: &Settings, data: &DataDir) -> saga_orchestrator::Settings {
    saga_orchestrator::Settings {
        timeouts: order_timeouts(settings.order_deadline_s),
        ..saga_orchestrator::Settings::at(data.sagas())
    }
}

/// The sagas' usual times, with this one from placed to confirmed.
pub(crate) fn order_timeouts(deadline_s: u64) -> Timeouts {
    let seconds = i64::try_from(deadline_s).unwrap_or(i64::MAX / 1_000);
    Timeouts { order_deadline: chrono::Duration::seconds(seconds), ..Timeouts::default() }
}

/// The orchestrator as the query side sees it. Weak, so that whoever ends the platform is the last to hold it.
struct States(Weak<Orchestrator>);

impl SagaStates for States {
    fn of_order<'a>(&'a self, order_id: &'a OrderId) -> BoxFuture<'a, Vec<SagaSummary>> {
        Box::pin(async move {
            let Some(orchestrator) = self.0.upgrade() else { return Vec::new() };
            let sagas = orchestrator.summaries_of_order(order_id).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the sagas of an order can't be read");
                Vec::new()
            });
            let summary = |saga: saga_orchestrator::SagaSummary| SagaSummary {
                id: saga.id,
                kind: saga.kind,
                state: saga.state,
            };
            sagas.into_iter().map(summary).collect()
        })
    }
}
