//! `docket gateway`: one address before the services. It hands requests on by path, and explains the API of all of them.
//!
//! **Invariant:** it is ready while commands can be taken. What else is missing makes it less good, and takes no command away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::Value;
use service_kit::access::RELIES;
use service_kit::dependency::Need;
use service_kit::http::{MAX_BODY_BYTES, REQUEST_ID, RequestId};
use service_kit::problem::{Code, Problem};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::process::{Process, nothing};
use super::upstream::{self, Handed, Upstream, upstream_url};
use super::watching;
use crate::config::ProcessArgs;
use crate::dev::{DESCRIPTION, explained, home};
use crate::numbers::whole;

/// How often the read models are asked where the log ends, for the home page, and how long they may take.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long the services may take to describe their parts of the API.
const DESCRIBED_WITHIN: Duration = Duration::from_secs(5);

/// Start the one address before the services
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    process: ProcessArgs,
    /// Where the command-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_COMMAND_SERVICE_URL", value_name = "URLS", value_parser = upstream_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8081")]
    command_service_url: Vec<String>,
    /// Where the projection-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_PROJECTION_SERVICE_URL", value_name = "URLS", value_parser = upstream_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8082")]
    projection_service_url: Vec<String>,
    /// Where the saga-orchestrator is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_SAGA_ORCHESTRATOR_URL", value_name = "URLS", value_parser = upstream_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8083")]
    saga_orchestrator_url: Vec<String>,
    /// Where the payment simulator is, to look at its ledger
    #[arg(long, env = "DOCKET_PAYMENT_SIMULATOR_URL", value_name = "URL", value_parser = upstream_url,
        default_value = "http://127.0.0.1:8084")]
    payment_simulator_url: String,
    /// Milliseconds that a service may take to answer: longer than the longest wait that a client may ask for
    #[arg(long, env = "DOCKET_UPSTREAM_DEADLINE_MS", value_name = "MS", default_value = "35000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    upstream_deadline_ms: u64,
}

/// The services behind it.
#[derive(Debug)]
struct Upstreams {
    /// Who comes is asked here, and what they may is decided there.
    relies: bool,
    commands: Arc<Upstream>,
    models: Arc<Upstream>,
    sagas: Arc<Upstream>,
    simulator: Arc<Upstream>,
}

impl GatewayArgs {
    /// Runs until a signal.
    pub(crate) async fn run(self) -> Result<()> {
        let deadline = Duration::from_millis(self.upstream_deadline_ms);
        let client = upstream::client(deadline).context("services can't be asked over HTTP")?;
        let upstream = |name, urls| Arc::new(Upstream::new(name, urls, client.clone(), deadline));
        let upstreams = Arc::new(Upstreams {
            relies: self.process.auth_file.is_some(),
            commands: upstream("command-service", self.command_service_url),
            models: upstream("projection-service", self.projection_service_url),
            sagas: upstream("saga-orchestrator", self.saga_orchestrator_url),
            simulator: upstream("payment-simulator", vec![self.payment_simulator_url]),
        });
        let process = Process::begin("gateway", &self.process).await?;
        let mut watched = JoinSet::new();
        for (upstream, need) in upstreams.needs() {
            watching::watch(&mut watched, upstream, &process.health, need);
        }
        // With tokens the gateway has none of its own to ask with.
        let head = process.access.is_open().then(|| {
            let (told, head) = watch::channel(0);
            watched.spawn(follow_head(Arc::clone(&upstreams.models), told));
            head
        });
        let router =
            Router::new().route("/v1/{*path}", any(hand_on)).with_state(Arc::clone(&upstreams));
        // A provider has no token: its notices are signed, and the command-service looks at that.
        let notices = Router::new()
            .route("/v1/payments/webhooks/{provider}", post(hand_on))
            .with_state(Arc::clone(&upstreams));
        let described = Router::new().route(DESCRIPTION, get(description)).with_state(upstreams);
        let router = process.access.identify(router);
        process
            .ready(router.merge(notices).merge(described).merge(explained()).merge(home(head)))?;
        let ended = process.until_stopped(nothing()).await;
        process.drain().await;
        ended
    }
}

async fn hand_on(State(upstreams): State<Arc<Upstreams>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return Problem::from(Code::BodyTooLarge).into_response();
    };
    let mut headers = parts.headers;
    if let Some(RequestId(id)) = parts.extensions.get()
        && let Ok(id) = HeaderValue::from_str(id)
    {
        headers.insert(REQUEST_ID, id);
    }
    headers.remove(RELIES);
    if upstreams.relies {
        headers.insert(RELIES, HeaderValue::from_static("tokens"));
    }
    let upstream = upstreams.of(&parts.method, parts.uri.path());
    upstream.hand_on(Handed { method: parts.method, uri: parts.uri, headers, body }).await
}

/// One description of the API from those of the services.
async fn description(State(upstreams): State<Arc<Upstreams>>) -> Result<Json<Value>, Problem> {
    let services = [&upstreams.commands, &upstreams.models, &upstreams.sagas];
    let asked = services.map(|service| service.get_json(DESCRIPTION, DESCRIBED_WITHIN));
    let mut whole = Value::Null;
    for (service, described) in services.iter().zip(futures::future::join_all(asked).await) {
        let described = described.ok_or_else(|| {
            let detail = format!("{} does not tell its part", service.name);
            Problem::from(Code::Unavailable).detail(detail).retry_after(1)
        })?;
        join(&mut whole, described);
    }
    Ok(Json(whole))
}

/// Puts two descriptions together: what is in both stays as it is in the first, and a list has what is in either.
fn join(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                join(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            let more: Vec<Value> = part.into_iter().filter(|item| !whole.contains(item)).collect();
            whole.extend(more);
        }
        (whole @ Value::Null, part) => *whole = part,
        _ => {}
    }
}

impl Upstreams {
    /// What the gateway is without each: a balancer that took it away because reads or sagas are missing would take commands
    /// away too. The simulator's ledger is only to look at.
    fn needs(&self) -> [(&Arc<Upstream>, Need); 4] {
        [
            (&self.commands, Need::Required),
            (&self.models, Need::Useful),
            (&self.sagas, Need::Useful),
            (&self.simulator, Need::Useful),
        ]
    }

    /// Who answers a request.
    fn of(&self, method: &Method, path: &str) -> &Upstream {
        let words: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        match *words {
            ["sagas", ..] => &self.sagas,
            ["simulator", ..] => &self.simulator,
            ["payments", "webhooks", ..] => &self.commands,
            // Also with another method: who knows a path says which ones it takes.
            ["projections" | "payments" | "reports", ..]
            | ["orders" | "stock" | "customers" | "shipments", _] => &self.models,
            ["events"] | ["dead-letters", ..] | [_, _, _, ..] => &self.commands,
            _ if method == Method::POST => &self.commands,
            _ => &self.models,
        }
    }
}

/// Follows where the log ends, as the read models know it.
async fn follow_head(models: Arc<Upstream>, head: watch::Sender<u64>) {
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(models) = models.get_json("/v1/projections", ASK_EVERY).await
            && let Some(position) = models["items"][0]["head"].as_u64()
        {
            head.send_replace(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_the_service_that_answers_it() {
        let deadline = Duration::from_secs(1);
        let client = upstream::client(deadline).unwrap();
        let of =
            |name| Arc::new(Upstream::new(name, vec![String::new()], client.clone(), deadline));
        let upstreams = Upstreams {
            relies: false,
            commands: of("commands"),
            models: of("models"),
            sagas: of("sagas"),
            simulator: of("simulator"),
        };
        for (method, path, service) in [
            (Method::POST, "/v1/orders", "commands"),
            (Method::GET, "/v1/orders", "models"),
            (Method::GET, "/v1/orders/events", "models"),
            (Method::GET, "/v1/orders/o-1/events", "commands"),
            (Method::GET, "/v1/events", "commands"),
            (Method::GET, "/v1/dead-letters", "commands"),
            (Method::GET, "/v1/dead-letters/4f", "commands"),
            (Method::GET, "/v1/reports/sales", "models"),
            (Method::POST, "/v1/projections/orders/rebuild", "models"),
            (Method::POST, "/v1/sagas/order-1/retry", "sagas"),
            (Method::GET, "/v1/sagas", "sagas"),
            (Method::GET, "/v1/simulator/ledger", "simulator"),
            (Method::GET, "/v1/payments/o-1-p1", "models"),
            (Method::POST, "/v1/payments/webhooks/stripe", "commands"),
            (Method::GET, "/v1/products/22423/price", "commands"),
            (Method::POST, "/v1/reports/sales", "models"),
            (Method::POST, "/v1/orders/o-1", "models"),
            (Method::POST, "/v1/orders/o-1/cancel", "commands"),
            (Method::POST, "/v1/customers", "commands"),
            (Method::GET, "/v1/customers", "models"),
        ] {
            assert_eq!(upstreams.of(&method, path).name, service, "{method} {path}");
        }
    }

    #[test]
    fn descriptions_are_joined_member_by_member() {
        let mut whole = serde_json::json!({ "info": { "title": "Docket" }, "paths": { "/a": 1 } });
        let part = serde_json::json!({ "info": { "title": "other" }, "paths": { "/b": 2 } });
        join(&mut whole, part);
        let joined =
            serde_json::json!({ "info": { "title": "Docket" }, "paths": { "/a": 1, "/b": 2 } });
        assert_eq!(whole, joined);
    }
}
