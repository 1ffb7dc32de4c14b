//! The services as `docker-compose.yml` has them, with exactly its environment, but on this machine: host names become
//! the loopback, ports free ones, `/run/secrets` a folder with the secrets that the service lists.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_servers::{NatsCluster, Postgres, PostgresSettings, free_port};

use super::file::{Composition, environment, words};
use crate::deployment::Deployment;
use crate::part_of_day::PartOfDay;
use crate::platform::{Platform, docket, text};

/// How long a service may take until it is healthy.
const PATIENCE: Duration = Duration::from_mins(2);

/// Rows of the example day that are imported, with the line that names the columns.
const ROWS: usize = 400;

/// The servers, and the secrets with their addresses.
struct Ground {
    postgres: Postgres,
    nats: NatsCluster,
    deployment: Deployment,
}

impl Ground {
    /// `None` when a server can't be had and the test may be skipped.
    fn prepare() -> Option<Self> {
        // The roles belong to a whole server, so it is one of its own.
        let postgres = match PostgresSettings::default().without_fsync().start() {
            Ok(postgres) => postgres,
            Err(missing) => {
                test_servers::skipped(&missing);
                return None;
            }
        };
        let deployment = Deployment::lay_out();
        let nats = deployment.nats_cluster()?;
        deployment.reach(&postgres);
        Some(Self { postgres, nats, deployment })
    }

    /// `psql` of this server.
    fn psql(&self) -> Command {
        let mut psql = Command::new(self.postgres.programs().join("psql"));
        psql.env("PGHOST", "127.0.0.1").env("PGPORT", self.postgres.port().to_string());
        psql
    }

    /// What a role is told when it tries to run a statement in the log's database.
    fn refusal(&self, role: &str, statement: &str) -> String {
        let mut psql = self.psql();
        psql.args(["--username", role, "--dbname", "docket_log", "--command", statement]);
        let output = psql.output().unwrap();
        assert!(!output.status.success(), "{role} may {statement}");
        text(&output)
    }
}

/// Where each of our services listens here, by its name and port there.
fn addresses(composition: &Composition) -> BTreeMap<String, String> {
    let mut addresses = BTreeMap::new();
    for (name, service) in composition.ours() {
        let listen = environment(service).into_iter().find(|(name, _)| name == "DOCKET_LISTEN");
        let Some((_, listen)) = listen else { continue };
        let port = listen.strip_prefix("0.0.0.0:").unwrap();
        let here = format!("127.0.0.1:{}", free_port().unwrap());
        addresses.insert(format!("{name}:{port}"), here);
    }
    addresses
}

/// The environment of a service, with the places of this machine.
fn here(
    name: &str,
    service: &Value,
    ground: &Ground,
    addresses: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let secrets = ground.deployment.secrets_of(name, &words(&service["secrets"]));
    let secrets = format!("{}/", secrets.display());
    let data = ground.deployment.root().join(name);
    let place = |(variable, value): (String, String)| {
        let mut value = value.replace("/run/secrets/", &secrets);
        value = value.replace("0.0.0.0:", &format!("{name}:"));
        for (there, here) in addresses {
            value = value.replace(there.as_str(), here);
        }
        if value == "nats://nats:4222" {
            value = ground.nats.url();
        }
        if value == "/data" {
            value = data.display().to_string();
        }
        (variable, value)
    };
    environment(service).into_iter().map(place).collect()
}

/// As the health check of the image asks.
async fn until_healthy(name: &str, environment: &[(String, String)]) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        let mut ask = docket(&["health"]);
        let output = ask.env_clear().envs(environment.iter().cloned()).output().await.unwrap();
        if output.status.success() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{name}: {}", text(&output));
    }
}

/// Starts every service once those that it waits for are there.
async fn start(composition: &Composition, ground: &Ground) -> BTreeMap<String, Platform> {
    let addresses = addresses(composition);
    let mut waiting = composition.ours();
    let mut ended = vec!["postgres".to_owned(), "nats-1".to_owned()];
    let mut running = BTreeMap::new();
    while !waiting.is_empty() {
        let is_next = |service: &Value| {
            let awaited = service["depends_on"].as_object().into_iter().flatten();
            awaited.into_iter().all(|(name, _)| ended.contains(name) || running.contains_key(name))
        };
        let next = waiting.iter().position(|(_, service)| is_next(service));
        let (name, service) = waiting.remove(next.expect("they don't wait for each other"));
        let environment = here(name, service, ground, &addresses);
        let mut command = docket(&words(&service["command"]));
        command.env_clear().envs(environment.iter().cloned());
        if service["healthcheck"]["disable"] == true {
            let output = command.output().await.unwrap();
            assert!(output.status.success(), "{name}: {}", text(&output));
            ended.push(name.to_owned());
        } else {
            let platform = Platform::of(command).await;
            until_healthy(name, &environment).await;
            running.insert(name.to_owned(), platform);
        }
    }
    running
}

/// What `docker compose run --rm token` prints for an operator.
async fn token(composition: &Composition, ground: &Ground, subject: &str) -> String {
    let service = composition.tool("token");
    let ["docket", words @ ..] = &words(&service["entrypoint"])[..] else { panic!("{service}") };
    let mut make = docket(words);
    make.args(["--role", "operator", "--subject", subject]);
    make.env_clear().envs(here("token", service, ground, &BTreeMap::new()));
    let output = make.output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// What a service makes of the same with what it has.
async fn forged(name: &str, composition: &Composition, ground: &Ground) -> (bool, String) {
    let (_, service) = composition.ours().into_iter().find(|(its, _)| *its == name).unwrap();
    let mut make = docket(&["token", "--role", "operator", "--subject", "mallory"]);
    make.env_clear().envs(here(name, service, ground, &BTreeMap::new()));
    let output = make.output().await.unwrap();
    (output.status.success(), text(&output))
}

/// Imports a part of the example day, and says how many orders that are. Three nodes that write everything to disk take their time.
async fn import(url: &str, token: &str) -> usize {
    let part = PartOfDay::of(ROWS);
    let mut import = docket(&["import", "online-retail", "--url", url]);
    let output = import.env("DOCKET_TOKEN", token).arg(part.path()).output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    part.orders()
}

#[tokio::test]
async fn with_exactly_its_environment_the_services_start_in_order_and_import_a_part_of_a_day() {
    let Some(ground) = Ground::prepare() else { return };
    ground.deployment.make_roles(&ground.postgres);
    let composition = Composition::whole();
    let mut services = start(&composition, &ground).await;
    let gateway = services.remove("gateway").unwrap();
    assert_eq!(gateway.get("/v1/orders").await.problem(), (401, "unauthenticated"));
    let orders = import(&gateway.url, &token(&composition, &ground, "the-import").await).await;
    // Somebody else looks: an import takes all that its own subject may ask in a while.
    let gateway = gateway.bearing(&token(&composition, &ground, "ada").await);
    gateway.settle().await;
    let sales = gateway.get("/v1/reports/sales?group_by=month").await.ok();
    assert_eq!(sales["rows"][0]["orders"], orders, "{sales:#}");

    for statement in ["UPDATE events SET payload = '{}'", "DELETE FROM events", "TRUNCATE events"] {
        let service = ground.refusal("docket_log_service", statement);
        assert!(service.contains("permission denied for table events"), "{service}");
        let owner = ground.refusal("docket_log_owner", statement);
        assert!(owner.contains("the log is append-only"), "{owner}");
        let other = ground.refusal("docket_sagas", statement);
        assert!(other.contains("permission denied for database"), "{other}");
    }
    for name in ["gateway", "payment-simulator", "notification-service", "saga-orchestrator"] {
        let (made, told) = forged(name, &composition, &ground).await;
        assert!(!made && told.contains("no issuer in the settings has"), "{name}: {told}");
    }
    let (made, told) = forged("command-service", &composition, &ground).await;
    assert!(!made && told.contains("issuer `services` may not make anybody operator"), "{told}");
    assert!(gateway.terminate().await.success());
    for name in [
        "notification-service",
        "saga-orchestrator",
        "command-service",
        "projection-service",
        "payment-simulator",
    ] {
        assert!(services.remove(name).unwrap().terminate().await.success(), "{name}");
    }
}
