//! The services as separate processes, with real servers between them.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use test_servers::{Database, Nats, Postgres, PostgresSettings, Proxy, free_port};
use tokio::process::Command;

use crate::certificates::Certificates;
use crate::deployment::Deployment;
use crate::platform::{Data, PATIENCE, Platform, docket, text};

/// A free port may be taken by a connection before a service is back on it.
const ATTEMPTS: usize = 5;

/// A receiver that fails is asked again soon.
const RETRIES_S: &str = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";

/// Has a process send mail by a mail server of the loopback.
pub(crate) fn send_mail(command: &mut Command, port: u16) {
    let server = format!("smtp://127.0.0.1:{port}?tls=off");
    command.args(["--mail-server", &server, "--mail-from", "Shop <orders@shop.example>"]);
    command.args(["--mail-retries-s", RETRIES_S]);
}

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Commands,
    Models,
    Sagas,
    Notifications,
    Simulator,
    Gateway,
}

impl Service {
    const ALL: [Self; 6] = [
        Self::Simulator,
        Self::Commands,
        Self::Models,
        Self::Sagas,
        Self::Notifications,
        Self::Gateway,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Commands => "command-service",
            Self::Models => "projection-service",
            Self::Sagas => "saga-orchestrator",
            Self::Notifications => "notification-service",
            Self::Simulator => "payment-simulator",
            Self::Gateway => "gateway",
        }
    }
}

/// Where the databases are.
enum Server {
    /// On the server of all tests; they are dropped with this.
    Shared { _databases: Vec<Database> },
    /// On the same, by way of a proxy.
    Behind { _databases: Vec<Database>, proxy: Proxy },
    /// On a server of this test's own.
    Own(Postgres),
}

/// Addresses of the three databases.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    pub(crate) log: String,
    pub(crate) models: String,
    pub(crate) sagas: String,
}

impl Urls {
    fn by_way_of(&self, proxy: &Proxy, server: u16) -> Self {
        let url = |url: &str| proxy.url(url, server);
        Self { log: url(&self.log), models: url(&self.models), sagas: url(&self.sagas) }
    }
}

/// What the services stand on.
struct Ground {
    server: Server,
    /// The databases, for the test.
    urls: Urls,
    /// The same, for the services.
    reached: Urls,
    nats: Vec<Nats>,
    collector: Option<u16>,
    order_deadline_s: Option<u32>,
    /// Whose tokens are taken.
    auth_file: Option<PathBuf>,
    /// Where each service has its identity.
    deployment: Option<Deployment>,
    /// Where the mail server is, if there is one.
    mail_server: Option<u16>,
    /// What everybody shows to everybody, where TLS is spoken.
    secured: Option<Secured>,
}

/// A test in which everybody shows a certificate to everybody, and tokens.
pub(crate) struct Secured {
    pub(crate) certificates: Certificates,
    /// The file of the token by which services are known.
    pub(crate) service_token: PathBuf,
    /// The token of who runs the test.
    pub(crate) token: String,
}

impl Secured {
    /// What asks as who runs the test does.
    pub(crate) fn client(&self) -> Client {
        self.certificates.client(Some("client"), Some(&self.token))
    }

    fn told_to(&self, command: &mut Command) {
        let Self { certificates, service_token, .. } = self;
        certificates.shown_by(command);
        certificates.asked_for_by(command);
        certificates.believed_by(command);
        certificates.known_to_others(command);
        command.env("DOCKET_SERVICE_TOKEN_FILE", service_token);
        command.env("DOCKET_NATS_TLS_CA_FILE", certificates.file("ca.pem"));
        command.env("DOCKET_NATS_TLS_CERT_FILE", certificates.file("client.pem"));
        command.env("DOCKET_NATS_TLS_KEY_FILE", certificates.file("client.key"));
    }
}

impl Ground {
    /// The databases of the server of all tests, and a broker; `None` when a server can't be had.
    fn shared() -> Option<Self> {
        let database = test_servers::database;
        let databases = [database()?, database()?, database()?];
        let [log, models, sagas] = databases.each_ref().map(Database::url);
        let server = Server::Shared { _databases: databases.into() };
        Self::over(server, Urls { log, models, sagas })
    }

    fn over(server: Server, urls: Urls) -> Option<Self> {
        let nats = vec![test_servers::nats()?];
        Some(Self::with_broker(server, urls, nats))
    }

    fn with_broker(server: Server, urls: Urls, nats: Vec<Nats>) -> Self {
        let reached = urls.clone();
        Self {
            server,
            urls,
            reached,
            nats,
            collector: None,
            order_deadline_s: None,
            auth_file: None,
            deployment: None,
            mail_server: None,
            secured: None,
        }
    }
}

/// What every process is told.
struct Home {
    nats: String,
    replicas: usize,
    urls: Urls,
    reached: Urls,
    ports: HashMap<Service, u16>,
    /// Where traces go, if anywhere.
    collector: Option<u16>,
    /// Within how many seconds an order has to be confirmed, where it is not the usual time.
    order_deadline_s: Option<u32>,
    /// Whose tokens every process takes; where there is none, nobody is asked.
    auth_file: Option<PathBuf>,
    /// Where each service has its identity, if it has one.
    deployment: Option<Deployment>,
    /// Where the mail server is, if there is one.
    mail_server: Option<u16>,
    secured: Option<Secured>,
    /// The ledger and the master key; they live as long as the services.
    folder: Data,
}

impl Home {
    /// What starts a service on its port.
    fn command(&self, service: Service) -> Command {
        self.command_at(service, self.ports[&service])
    }

    /// What starts one on another port.
    fn command_at(&self, service: Service, port: u16) -> Command {
        let mut command = self.listening(service, port);
        let database = match service {
            Service::Commands => &self.reached.log,
            Service::Models => &self.reached.models,
            // Each has a schema of its own there.
            Service::Sagas | Service::Notifications => &self.reached.sagas,
            Service::Simulator => {
                command.arg("--data-dir").arg(self.folder.path());
                return command;
            }
            Service::Gateway => return self.gateway(port, &[]),
        };
        command.env("DOCKET_NATS_URL", &self.nats).env("DOCKET_POSTGRES_URL", database);
        command.env("DOCKET_NATS_REPLICAS", self.replicas.to_string());
        self.identify(service, &mut command);
        if service != Service::Sagas {
            command.env("DOCKET_MASTER_KEY_FILE", self.folder.path().join("master.key"));
        }
        if let (Service::Sagas, Some(deadline_s)) = (service, self.order_deadline_s) {
            command.env("DOCKET_ORDER_DEADLINE_S", deadline_s.to_string());
        }
        if service == Service::Commands {
            command.args(["--payment-provider-url", &self.url(Service::Simulator)]);
        }
        if service == Service::Notifications {
            command.args(["--webhook-networks", "127.0.0.0/8", "--webhook-retries-s", RETRIES_S]);
            command.args(["--webhook-deadline-ms", "1000"]);
            if let Some(port) = self.mail_server {
                send_mail(&mut command, port);
            }
        }
        command
    }

    fn identify(&self, service: Service, command: &mut Command) {
        if let Some(deployment) = &self.deployment {
            command.env("DOCKET_NATS_NKEY_FILE", deployment.seed(service.name()));
        }
    }

    fn listening(&self, service: Service, port: u16) -> Command {
        let mut command = docket(&[service.name(), "--listen", &format!("127.0.0.1:{port}")]);
        command.env("DOCKET_PAYMENT_DEADLINE_MS", "300");
        // Nobody shares out what comes here.
        command.env("DOCKET_SHUTDOWN_DELAY_MS", "0");
        if let Some(auth_file) = &self.auth_file {
            command.env("DOCKET_AUTH_FILE", auth_file);
        }
        if let Some(collector) = self.collector {
            send_traces(&mut command, collector);
        }
        if let Some(secured) = &self.secured {
            secured.told_to(&mut command);
        }
        command
    }

    /// Starts a process; it is asked as this test asks.
    async fn start(&self, command: Command) -> Platform {
        self.asked(Platform::of(command).await)
    }

    fn asked(&self, process: Platform) -> Platform {
        match &self.secured {
            Some(secured) => process.over(secured.client()),
            None => process,
        }
    }

    /// What starts a gateway that knows these processes too. They are named first, so that those that stand by have to be
    /// passed over.
    fn gateway(&self, port: u16, seconds: &[(Service, &Platform)]) -> Command {
        let mut command = self.listening(Service::Gateway, port);
        for upstream in [
            Service::Commands,
            Service::Models,
            Service::Sagas,
            Service::Notifications,
            Service::Simulator,
        ] {
            let second = seconds.iter().filter(|(service, _)| *service == upstream);
            let mut urls: Vec<String> = second.map(|(_, second)| second.url.clone()).collect();
            urls.push(self.url(upstream));
            command.arg(format!("--{}-url", upstream.name())).arg(urls.join(","));
        }
        command
    }

    fn url(&self, service: Service) -> String {
        let scheme = if self.secured.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.ports[&service])
    }
}

/// Every process, and what it keeps.
pub(crate) struct Services {
    /// What clients talk to.
    pub(crate) gateway: Platform,
    /// The broker; of several servers the first.
    pub(crate) nats: Nats,
    /// Its other servers.
    other_nats: Vec<Nats>,
    /// All but the gateway.
    running: HashMap<Service, Platform>,
    home: Home,
    server: Server,
}

/// A PostgreSQL of a test's own, with these databases; `None` where it is not installed.
fn with_databases(settings: PostgresSettings) -> Option<(Postgres, [&'static str; 3])> {
    let postgres = match settings.start() {
        Ok(postgres) => postgres,
        Err(missing) => {
            test_servers::skipped(&missing);
            return None;
        }
    };
    let names = ["log", "reads", "sagas"];
    for name in names {
        postgres.execute(&[&format!("CREATE DATABASE {name}")]).unwrap();
    }
    Some((postgres, names))
}

impl Services {
    /// Starts everything; `None` when a server can't be had and the test may be skipped.
    pub(crate) async fn start() -> Option<Self> {
        Some(Self::start_on(Ground::shared()?).await)
    }

    /// The same, with every process sending its traces to a collector on this port.
    pub(crate) async fn start_with(collector: u16) -> Option<Self> {
        let collector = Some(collector);
        Some(Self::start_on(Ground { collector, ..Ground::shared()? }).await)
    }

    /// The same, where an order has to be confirmed within so many seconds.
    pub(crate) async fn start_with_deadline(seconds: u32) -> Option<Self> {
        let order_deadline_s = Some(seconds);
        Some(Self::start_on(Ground { order_deadline_s, ..Ground::shared()? }).await)
    }

    /// The same, where every process takes the tokens that this file names.
    pub(crate) async fn start_guarded(auth_file: &Path) -> Option<Self> {
        let auth_file = Some(auth_file.to_owned());
        Some(Self::start_on(Ground { auth_file, ..Ground::shared()? }).await)
    }

    /// The same, with a broker on the configuration of `deploy/`, to which each logs in with an identity of its own.
    pub(crate) async fn start_on_deployed_nats(deployment: Deployment) -> Option<Self> {
        let nats = vec![deployment.nats()?];
        let deployment = Some(deployment);
        Some(Self::start_on(Ground { nats, deployment, ..Ground::shared()? }).await)
    }

    /// The same, where customers get mail by a mail server on this port.
    pub(crate) async fn start_with_mail(port: u16) -> Option<Self> {
        let mail_server = Some(port);
        Some(Self::start_on(Ground { mail_server, ..Ground::shared()? }).await)
    }

    /// The same, where everybody shows a certificate and a token to everybody: clients, services, the broker and the databases.
    pub(crate) async fn start_secured(auth_file: &Path, secured: Secured) -> Option<Self> {
        let file = |name: &str| secured.certificates.file(name).display().to_string();
        let nats = test_servers::nats_with_config(&format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}\n",
            file("server.pem"),
            file("server.key"),
            file("ca.pem"),
        ))?;
        let settings = PostgresSettings::default().showing(secured.certificates.for_server());
        let (postgres, names) = with_databases(settings)?;
        let shown = format!("sslmode=verify-full&sslrootcert={}", file("ca.pem"));
        let [log, models, sagas] = names.map(|name| format!("{}?{shown}", postgres.url(name)));
        let server = Server::Own(postgres);
        let ground = Ground::with_broker(server, Urls { log, models, sagas }, vec![nats]);
        let (auth_file, secured) = (Some(auth_file.to_owned()), Some(secured));
        Some(Self::start_on(Ground { auth_file, secured, ..ground }).await)
    }

    /// What everybody shows to everybody.
    pub(crate) fn secured(&self) -> &Secured {
        self.home.secured.as_ref().unwrap()
    }

    /// The same, with three servers as the broker, and a copy of each stream on each.
    pub(crate) async fn start_with_three_nats() -> Option<Self> {
        let nats = test_servers::nats_cluster(3)?.servers;
        Some(Self::start_on(Ground { nats, ..Ground::shared()? }).await)
    }

    /// The same, with a proxy between the services and their databases.
    pub(crate) async fn start_behind_a_proxy() -> Option<Self> {
        let ground = Ground::shared()?;
        let Server::Shared { _databases: databases } = ground.server else { return None };
        let port = databases[0].port();
        let proxy = Proxy::to(port).unwrap();
        let reached = ground.urls.by_way_of(&proxy, port);
        let server = Server::Behind { _databases: databases, proxy };
        Some(Self::start_on(Ground { server, reached, ..ground }).await)
    }

    /// Starts everything over a PostgreSQL of its own, that keeps what it commits when its power is taken away.
    pub(crate) async fn start_with_own_postgres() -> Option<Self> {
        let (postgres, names) = with_databases(PostgresSettings::default())?;
        let [log, models, sagas] = names.map(|name| postgres.url(name));
        let ground = Ground::over(Server::Own(postgres), Urls { log, models, sagas })?;
        Some(Self::start_on(ground).await)
    }

    async fn start_on(ground: Ground) -> Self {
        let Ground {
            server,
            urls,
            reached,
            nats,
            collector,
            order_deadline_s,
            auth_file,
            deployment,
            mail_server,
            secured,
        } = ground;
        let ports = Service::ALL.map(|service| (service, free_port().unwrap())).into();
        let home = Home {
            nats: nats.iter().map(Nats::url).collect::<Vec<_>>().join(","),
            replicas: nats.len(),
            urls,
            reached,
            ports,
            collector,
            order_deadline_s,
            auth_file,
            deployment,
            mail_server,
            secured,
            folder: Data::new(),
        };
        let mut running = HashMap::new();
        for service in [Service::Simulator, Service::Commands] {
            running.insert(service, home.start(home.command(service)).await);
        }
        // It makes the master key.
        running[&Service::Commands].until_ready().await;
        for service in [Service::Models, Service::Sagas, Service::Notifications] {
            running.insert(service, home.start(home.command(service)).await);
        }
        let gateway = home.start(home.command(Service::Gateway)).await;
        gateway.until_whole().await;
        let mut nats = nats.into_iter();
        let first = nats.next().unwrap();
        Self { gateway, nats: first, other_nats: nats.collect(), running, home, server }
    }

    /// The process of a service; the gateway is [`gateway`](Self::gateway).
    pub(crate) fn of(&self, service: Service) -> &Platform {
        &self.running[&service]
    }

    /// Addresses of the databases.
    pub(crate) fn urls(&self) -> &Urls {
        &self.home.urls
    }

    /// The PostgreSQL of this test's own.
    pub(crate) fn postgres(&mut self) -> &mut Postgres {
        match &mut self.server {
            Server::Own(postgres) => postgres,
            Server::Shared { .. } | Server::Behind { .. } => {
                panic!("the server is shared with other tests")
            }
        }
    }

    /// What lies between the services and their databases.
    pub(crate) fn proxy(&self) -> &Proxy {
        match &self.server {
            Server::Behind { proxy, .. } => proxy,
            Server::Shared { .. } | Server::Own(_) => panic!("nothing lies between"),
        }
    }

    /// The broker's server that leads a stream.
    pub(crate) async fn leader_of(&mut self, stream: &str) -> &mut Nats {
        let streams = self.streams().await;
        let begun = Instant::now();
        let leader = loop {
            let found = streams.get_stream(stream).await.ok();
            let cluster = found.and_then(|stream| stream.cached_info().cluster.clone());
            if let Some(leader) = cluster.and_then(|cluster| cluster.leader) {
                break leader;
            }
            assert!(begun.elapsed() < PATIENCE, "{stream} has no leader");
        };
        let mut servers = std::iter::once(&mut self.nats).chain(&mut self.other_nats);
        servers.find(|server| server.name() == leader).unwrap()
    }

    /// Waits until the queue of commands holds nothing that is to be delivered, again or at all.
    pub(crate) async fn until_the_queue_is_empty(&self) {
        let streams = self.streams().await;
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            let queue = streams.get_stream("COMMANDS").await.unwrap();
            let messages = queue.cached_info().state.messages;
            if messages == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{messages} messages stay in the queue");
        }
    }

    /// The broker's server of this name, which does not run.
    pub(crate) fn killed_nats(&mut self, name: &str) -> &mut Nats {
        let mut servers = std::iter::once(&mut self.nats).chain(&mut self.other_nats);
        servers.find(|server| server.name() == name).unwrap()
    }

    /// Kills all of the broker's servers but the first: a cluster without the majority of its servers.
    pub(crate) fn kill_the_majority_of_nats(&mut self) {
        for server in &mut self.other_nats {
            server.kill().unwrap();
        }
    }

    /// They come back, with what is in their stores.
    pub(crate) fn start_the_majority_of_nats(&mut self) {
        for server in &mut self.other_nats {
            server.start_again().unwrap();
        }
    }

    /// Connections of the services to a database of this name.
    pub(crate) async fn connections_to(&self, database: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.home.urls.log).await.unwrap();
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'
            AND pid <> pg_backend_pid()";
        let count = sqlx::query_scalar(count).bind(database).fetch_one(&mut connection).await;
        connection.close().await.unwrap();
        count.unwrap()
    }

    /// The same, once PostgreSQL has noticed that whoever else asked has gone, such as `docket verify`; in vain if they stay more
    /// than these.
    pub(crate) async fn connections_to_at_rest(&self, database: &str, most: i64) -> i64 {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let open = self.connections_to(database).await;
            if open <= most || begun.elapsed() > PATIENCE {
                return open;
            }
        }
    }

    /// JetStream, past the services.
    pub(crate) async fn streams(&self) -> async_nats::jetstream::Context {
        let servers: Vec<&str> = self.home.nats.split(',').collect();
        async_nats::jetstream::new(async_nats::connect(servers).await.unwrap())
    }

    /// Every folder in which a service or a server of this test's own keeps anything.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let database = match &self.server {
            Server::Own(postgres) => Some(postgres.data()),
            Server::Shared { .. } | Server::Behind { .. } => None,
        };
        [self.home.folder.path().to_owned(), self.nats.store()]
            .into_iter()
            .chain(database)
            .collect()
    }

    /// The folder with the provider's ledger.
    pub(crate) fn folder(&self) -> &Data {
        &self.home.folder
    }

    /// `kill -9` of a service, and a new one in its place at once.
    pub(crate) async fn kill(&mut self, service: Service) {
        if service == Service::Gateway {
            self.gateway.kill_and_keep().await;
            self.gateway = self.start_one(service).await;
        } else {
            self.take(service).kill().await;
            self.restart(service).await;
        }
    }

    /// Starts a service in its place, in which none runs.
    pub(crate) async fn restart(&mut self, service: Service) {
        let process = self.start_one(service).await;
        self.put(service, process);
    }

    /// Stops a service and starts it as it is started where nobody says how long it goes on after a signal.
    pub(crate) async fn restart_with_the_usual_delay(&mut self, service: Service) {
        self.stop(service).await;
        let mut command = self.home.command(service);
        command.env_remove("DOCKET_SHUTDOWN_DELAY_MS");
        let process = self.home.start(command).await;
        self.put(service, process);
    }

    /// Keeps a process that was taken.
    pub(crate) fn put(&mut self, service: Service, process: Platform) {
        self.running.insert(service, process);
    }

    async fn start_one(&self, service: Service) -> Platform {
        for _ in 1..ATTEMPTS {
            if let Some(process) = Platform::try_of(self.home.command(service)).await {
                return self.home.asked(process);
            }
        }
        self.home.start(self.home.command(service)).await
    }

    /// A second process of a service beside the first.
    pub(crate) async fn standby(&self, service: Service) -> Platform {
        Platform::of(self.home.command_at(service, free_port().unwrap())).await
    }

    /// A second gateway, which alone takes tokens.
    pub(crate) async fn gateway_with(&self, auth_file: &Path) -> Platform {
        let mut command = self.home.gateway(0, &[]);
        command.env("DOCKET_AUTH_FILE", auth_file);
        Platform::of(command).await
    }

    /// A gateway that knows further processes of some services.
    pub(crate) async fn gateway_before(&self, seconds: &[(Service, &Platform)]) -> Platform {
        Platform::of(self.home.gateway(0, seconds)).await
    }

    /// A gateway where read models and sagas are meant to be so far behind at most.
    pub(crate) async fn gateway_that_means(&self, behind: Duration) -> Platform {
        let mut command = self.home.gateway(0, &[]);
        command.env("DOCKET_MEANT_BEHIND_MS", behind.as_millis().to_string());
        Platform::of(command).await
    }

    /// A gateway that finds the services over NATS and is told of none.
    pub(crate) async fn gateway_by_nats(&self) -> Platform {
        let mut command = self.home.listening(Service::Gateway, 0);
        command.args(["--discovery", "nats", "--nats-url", &self.home.nats]);
        command.args(["--payment-simulator-url", &self.home.url(Service::Simulator)]);
        self.home.identify(Service::Gateway, &mut command);
        Platform::of(command).await
    }

    /// A further command-service and projection-service with this master key, as they will end by themselves.
    pub(crate) fn with_master_key(&self, key: &Path) -> [Command; 2] {
        [Service::Commands, Service::Models].map(|service| {
            let mut command = self.home.command_at(service, free_port().unwrap());
            command.env("DOCKET_MASTER_KEY_FILE", key);
            command
        })
    }

    /// The process of a service, which nobody keeps any more.
    pub(crate) fn take(&mut self, service: Service) -> Platform {
        self.running.remove(&service).unwrap()
    }

    /// Waits until every process does what it is for.
    pub(crate) async fn until_all_are_ready(&self) {
        for process in self.running.values() {
            process.until_ready().await;
        }
        self.gateway.until_whole().await;
    }

    /// SIGTERM to a service; it ends well.
    pub(crate) async fn stop(&mut self, service: Service) {
        assert!(self.take(service).terminate().await.success());
    }

    /// Stops the broker, deletes all that it has, and starts it.
    pub(crate) fn wipe_broker(&mut self) {
        self.nats.stop().unwrap();
        self.nats.wipe().unwrap();
        self.nats.start_again().unwrap();
    }

    /// What `docket digest` says of the read models; nothing while they stand at different positions.
    pub(crate) async fn digest(&self) -> String {
        let url = &self.home.urls.models;
        let output = docket(&["digest", "--postgres-url", url]).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until everything has come to rest and the read models are as these.
    pub(crate) async fn until_digest(&self, expected: &str) {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let begun = Instant::now();
        loop {
            ticks.tick().await;
            self.gateway.settle().await;
            let digest = self.digest().await;
            if digest == expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{digest}\nis not\n{expected}");
        }
    }

    /// Runs `docket verify` over the databases and the simulator's ledger.
    pub(crate) async fn run_verify(&self, words: &[&str]) -> Output {
        let Urls { log, models, sagas } = &self.home.urls;
        let mut command = docket(&["verify"]);
        if let Some(secured) = &self.home.secured {
            secured.told_to(&mut command);
        }
        command
            .args(words)
            .env("DOCKET_COMMAND_POSTGRES_URL", log)
            .env("DOCKET_PROJECTION_POSTGRES_URL", models)
            .env("DOCKET_SAGA_POSTGRES_URL", sagas)
            .env("DOCKET_PAYMENT_SIMULATOR_URL", self.home.url(Service::Simulator))
            .env("DOCKET_MASTER_KEY_FILE", self.home.folder.path().join("master.key"))
            .output()
            .await
            .unwrap()
    }

    /// `docket verify` finds nothing, and had everything to look at.
    pub(crate) async fn verify(&self) {
        let output = self.run_verify(&["--json"]).await;
        assert!(output.status.success(), "{}", text(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["clean"], true, "{report:#}");
        for counted in ["events", "orders", "payments", "ledger_rows"] {
            assert!(report["counts"][counted].as_u64() > Some(0), "{report:#}");
        }
        assert!(report["sagas"].as_u64() > Some(0), "{report:#}");
        assert_eq!(report["read_models"].as_array().map(Vec::len), Some(7), "{report:#}");
        assert!(!report["notes"].to_string().contains("not checked"), "{report:#}");
    }

    /// `docket verify` finds nothing, again and again, beside running services; counts how often it looked.
    pub(crate) async fn verify_again_and_again(&self, looked: &Cell<u32>) -> Infallible {
        loop {
            let output = self.run_verify(&[]).await;
            assert!(output.status.success(), "{}", text(&output));
            looked.set(looked.get() + 1);
        }
    }

    /// SIGTERM to all, senders before receivers; each ends well.
    pub(crate) async fn terminate(mut self) {
        assert!(self.gateway.terminate().await.success());
        for service in [
            Service::Notifications,
            Service::Sagas,
            Service::Commands,
            Service::Models,
            Service::Simulator,
        ] {
            assert!(self.running.remove(&service).unwrap().terminate().await.success());
        }
    }
}

/// Lets a process send its traces to a collector on this port, soon after each span.
pub(crate) fn send_traces(command: &mut Command, collector: u16) {
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{collector}"));
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50");
}
