//! What every process has: logs, signals, an address that answers from the first moment, health, metrics, and an end in
//! order.
//!
//! **Invariant:** the address answers as long as the process lives. Until the service is there, everything but health
//! and metrics is 503 with `Retry-After`.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::Action;
use anyhow::{Context as _, Result, bail};
use async_nats::Client;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::response::IntoResponse;
use axum::routing::any;
use futures::future::BoxFuture;
use gateway::{Entrance, Passage};
use messaging::jetstream::{self, Names, Registration};
use service_kit::access::Access;
use service_kit::answers::{Answering, Answers};
use service_kit::health::Health;
use service_kit::http::STANDBY;
use service_kit::problem::{Code, Problem};
use service_kit::server::Ending;
use service_kit::valve::Valve;
use storage::postgres::{PostgresPool, PostgresSettings};
use storage::{Asked, Backoff, Told};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt as _, service_fn};

use super::dependencies::watch_database;
use super::registration::AdvertiseArgs;
use crate::config::{LogFormat, ProcessArgs};
use crate::dev::{install_logs, metrics_router};
use crate::entrance::{self, entrance};
use crate::listening::Listening;
use crate::output;

/// How long whoever shares requests out has to see that the entrance is not ready any more, where nothing is said: asked every second
/// or two, as is usual, it was seen.
const DELAY: Duration = Duration::from_secs(5);
/// The same of what is behind the entrance, which the gateway asks twice a second.
const DELAY_BEHIND: Duration = Duration::from_secs(1);
/// How long requests under way may take after a signal, and after that; see `docket dev`.
const DRAIN: Duration = Duration::from_secs(6);

/// How long to wait before a database that is away is asked again, at first and at most.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// A process that listens.
pub(super) struct Process {
    /// What it is called, also as the part of its health that it is itself.
    pub(super) name: &'static str,
    /// Where it listens.
    address: SocketAddr,
    /// The same, with how it is spoken there.
    url: String,
    format: LogFormat,
    /// How long it takes requests after a signal.
    delay: Duration,
    /// Cancelled by a signal.
    pub(super) stop: CancellationToken,
    /// What its parts say.
    pub(super) health: Health,
    /// Who is let in.
    pub(super) access: Access,
    metrics: Router,
    /// What stands around it all, where strangers come.
    edge: Option<Entrance>,
    shown: watch::Sender<Answers>,
    draining: CancellationToken,
    server: JoinHandle<()>,
}

impl Process {
    /// Listens for whom is known, and says where on the standard output.
    pub(super) async fn begin(name: &'static str, settings: &ProcessArgs) -> Result<Self> {
        Self::begin_behind(None, name, settings).await
    }

    /// The same where strangers come.
    pub(super) async fn begin_at(
        entrance: Entrance,
        name: &'static str,
        settings: &ProcessArgs,
    ) -> Result<Self> {
        Self::begin_behind(Some(entrance), name, settings).await
    }

    async fn begin_behind(
        edge: Option<Entrance>,
        name: &'static str,
        settings: &ProcessArgs,
    ) -> Result<Self> {
        install_logs(&format!("docket-{name}"), settings.log_format, &settings.log_filter)?;
        let stop = service_kit::shutdown::on_signal().context("signals can't be listened to")?;
        let metrics = metrics_router()?;
        let health = Health::default();
        health.down(name, "starts");
        let listening = Listening::begin(settings).await?;
        let access = entrance(settings, listening.address).await?;
        entrance::say(&access, &health);
        let metrics = access.guard_plain(metrics, Action::ReadMetrics);
        // Before anybody is answered: whoever waits for the port asks in the moment in which it is open.
        let starts = with_operations(until_it_is_there(), &health, &metrics, edge.as_ref());
        let (shown, answers) = watch::channel(edged(edge.as_ref(), starts));
        let draining = CancellationToken::new();
        let (address, url) = (listening.address, listening.url());
        let ending = Ending { announced: stop.clone(), draining: draining.clone() };
        let server = tokio::spawn(serve(listening, answers, access.clone(), ending));
        let format = settings.log_format;
        let usual = if edge.is_some() { DELAY } else { DELAY_BEHIND };
        let delay = settings.shutdown_delay_ms.unwrap_or(usual);
        let process = Self {
            name,
            address,
            url,
            format,
            delay,
            stop,
            health,
            access,
            metrics,
            edge,
            shown,
            draining,
            server,
        };
        process.say_where()?;
        Ok(process)
    }

    fn say_where(&self) -> Result<()> {
        let said = format!("docket {} listens on {}", self.name, self.url);
        output::of_process(self.format, said)?;
        Ok(())
    }

    /// Where others reach this process.
    pub(super) fn url(&self, advertised: AdvertiseArgs) -> Result<String> {
        advertised.url(self.address, &self.url)
    }

    /// Tells over NATS where this process is, until what it gives is dropped.
    pub(super) async fn register(
        &self,
        client: &Client,
        names: &Names,
        url: &str,
    ) -> Result<Registration> {
        Ok(jetstream::register(client, names, self.name, env!("CARGO_PKG_VERSION"), url).await?)
    }

    /// Says in health and log what becomes of asking for the lease, until the service is there.
    pub(super) fn tells_of_lease(&self) -> Told {
        let (health, name) = (self.health.clone(), self.name);
        let stands_by = AtomicBool::new(false);
        health.active(false);
        Told::to(move |asked| match asked {
            Asked::AnotherHolds => {
                if !stands_by.swap(true, Ordering::Relaxed) {
                    tracing::info!("stands by: another {name} is active");
                }
                health.stands_by(name, format!("stands by: another {name} is active"));
            }
            Asked::Failed => health.down(name, "the database does not answer"),
        })
    }

    /// The lease is held: of several processes this one does the work from now on.
    pub(super) fn is_active(&self) {
        self.health.active(true);
        tracing::info!("this {} is the active one from now on", self.name);
    }

    /// The service is there.
    pub(super) fn ready(&self, router: Router) -> Result<()> {
        self.shows(self.whole(router))
    }

    /// The service is there, and turns away what it has no room for.
    pub(super) fn ready_behind(&self, valve: Valve, router: Router) -> Result<()> {
        self.shows(valve.before(self.whole(router)))
    }

    /// The services are there to which this is the way; the router answers all else.
    pub(super) fn ready_before(
        &self,
        valve: Valve,
        passage: Passage,
        router: Router,
    ) -> Result<()> {
        self.shows(valve.before(passage.before(self.whole(router))))
    }

    fn whole(&self, router: Router) -> Router {
        with_operations(router, &self.health, &self.metrics, self.edge.as_ref())
    }

    fn shows<S: Answering>(&self, service: S) -> Result<()> {
        drop(self.shown.send_replace(edged(self.edge.as_ref(), service)));
        self.health.up(self.name);
        output::of_process(self.format, format!("docket {} is up", self.name))?;
        Ok(())
    }

    /// Waits until a database answers, or for a signal; from then on the health tells of it under this name. One that answers and
    /// refuses this service, as for a wrong password, is an error.
    pub(super) async fn requires(
        &self,
        part: &'static str,
        database: &PostgresSettings,
    ) -> Result<()> {
        let pool = PostgresPool::new(&database.clone().connections(1));
        let mut pauses = Backoff::new(ASK_AGAIN.0, ASK_AGAIN.1);
        let answers = async {
            let mut is_told = false;
            while let Err(error) = pool.checkout().await {
                if !storage::is_away(&error) {
                    let refuses = format!("the database {} refuses this service", database.place());
                    return Err(anyhow::Error::from(error).context(refuses));
                }
                if !std::mem::replace(&mut is_told, true) {
                    let database = database.place();
                    tracing::warn!(%error, database, "the database does not answer; it is asked again until it does");
                }
                self.health.down(self.name, "the database does not answer");
                tokio::time::sleep(pauses.pause()).await;
            }
            if is_told {
                tracing::info!(database = database.place(), "the database answers");
            }
            self.health.down(self.name, "starts");
            Ok(())
        };
        self.stop.run_until_cancelled(answers).await.transpose()?;
        tokio::spawn(watch_database(self.health.clone(), part, pool));
        Ok(())
    }

    /// Starts something, unless a signal comes first.
    pub(super) async fn start<T>(&self, starting: BoxFuture<'_, Result<T>>) -> Result<Option<T>> {
        self.stop.run_until_cancelled(starting).await.transpose()
    }

    /// Starts something anew as long as a database that it needs goes away meanwhile, unless a signal comes first.
    pub(super) async fn start_until_there<'a, T>(
        &self,
        starting: impl Fn() -> BoxFuture<'a, Result<T>>,
    ) -> Result<Option<T>> {
        let mut pauses = Backoff::new(ASK_AGAIN.0, ASK_AGAIN.1);
        loop {
            match self.start(starting()).await {
                Err(error) if storage::is_away_behind(&*error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the database went away while the {} started; it starts again",
                        self.name
                    );
                    self.health.down(self.name, "the database does not answer");
                }
                ended => return ended,
            }
            let pause = tokio::time::sleep(pauses.pause());
            if self.stop.run_until_cancelled(pause).await.is_none() {
                return Ok(None);
            }
            self.health.down(self.name, "starts");
        }
    }

    /// Waits for a signal, and until everybody may have seen that it is not ready any more; or for `fault`, which says why the process can't go on.
    pub(super) async fn until_stopped(&self, fault: impl Future<Output = String>) -> Result<()> {
        tokio::select! {
            () = self.stop.cancelled() => {
                tracing::info!("the {} is asked to end: requests under way are ended first", self.name);
                self.health.ends(self.name);
                tokio::time::sleep(self.delay).await;
                Ok(())
            }
            why = fault => {
                tracing::warn!(why, "this {} ends", self.name);
                self.health.gives_way();
                self.health.down(self.name, format!("ends: {why}"));
                bail!("{} ends: {why}", self.name)
            }
        }
    }

    /// Takes no more requests and lets those under way end.
    pub(super) async fn drain(self) {
        self.draining.cancel();
        let mut server = self.server;
        if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
            tracing::warn!("requests were still under way when the time to end them was over");
            server.abort();
        }
    }
}

async fn serve(
    listening: Listening,
    shown: watch::Receiver<Answers>,
    access: Access,
    ending: Ending,
) {
    let dispatch = move |request: Request| {
        let answers = shown.borrow().clone();
        answers.oneshot(request)
    };
    let service = service_fn(dispatch);
    listening.serve(service, &access, ending).await;
}

/// With what every process answers, beside what it is for.
fn with_operations(
    router: Router,
    health: &Health,
    metrics: &Router,
    edge: Option<&Entrance>,
) -> Router {
    let router = router.merge(metrics.clone());
    let router = match edge {
        Some(edge) => edge.limit(router),
        None => router,
    };
    service_kit::http::finish(router.merge(health.router()))
}

/// With what stands around it all, where strangers come.
fn edged<S: Answering>(edge: Option<&Entrance>, service: S) -> Answers {
    match edge {
        Some(edge) => edge.edge(service),
        None => Answers::of(service),
    }
}

/// What is answered before the service is there.
fn until_it_is_there() -> Router {
    Router::new().route("/", any(not_yet)).route("/{*path}", any(not_yet))
}

async fn not_yet() -> impl IntoResponse {
    let problem = Problem::from(Code::Unavailable).detail("the service starts, or stands by");
    ([(STANDBY, HeaderValue::from_static("1"))], problem.retry_after(1))
}

/// Nothing can go wrong that ends the process.
pub(super) async fn nothing() -> String {
    std::future::pending().await
}
