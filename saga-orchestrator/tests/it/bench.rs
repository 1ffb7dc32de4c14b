//! A workbench: a shop, an orchestrator on a SQLite file or a PostgreSQL database, its API, and patience.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use messaging::commands::CommandQueue;
use messaging::embedded::{EmbeddedFeed, EmbeddedQueue, QueueSettings};
use messaging::feed::Feed;
use messaging::record::NothingRecorded;
use saga_orchestrator::{Orchestrator, Phase, Settings, Status};
use serde_json::{Value, json};
use service_kit::access::Access;
use service_kit::clock::Clock;
use storage::Location;
use storage::postgres::PostgresSettings;
use tower::ServiceExt as _;

use crate::clock::TestClock;
use crate::shop::Shop;

/// Longer than anything here takes: a test that waits for ever fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) clock: TestClock,
    pub(crate) shop: Arc<Shop>,
    home: Home,
    pub(crate) queue: Arc<dyn CommandQueue>,
}

/// Where the sagas of a test live; gone with it.
enum Home {
    Folder(tempfile::TempDir),
    Database(test_servers::Database),
    /// The address of a database on a server that the test starts and kills.
    Server(String),
}

/// Each case on both dialects. Where PostgreSQL is not installed, that half is passed over with a word.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test]
            async fn $case() { super::$case(crate::bench::Bench::on_sqlite().await).await; }
        )+ }
        mod postgres { $(
            #[tokio::test]
            async fn $case() {
                let Some(bench) = crate::bench::Bench::on_postgres().await else { return };
                super::$case(bench).await;
            }
        )+ }
    };
}
pub(crate) use on_both;

impl Bench {
    pub(crate) async fn on_sqlite() -> Self {
        Self::at(Home::Folder(tempfile::tempdir().unwrap())).await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        Some(Self::at(Home::Database(test_servers::database()?)).await)
    }

    pub(crate) async fn on_server(server: &test_servers::Postgres) -> Self {
        Self::at(Home::Server(server.url("postgres"))).await
    }

    async fn at(home: Home) -> Self {
        let clock = TestClock::new();
        let shop = Shop::open(&clock).await;
        let queue = Arc::new(EmbeddedQueue::new(Arc::clone(&shop) as _, QueueSettings::default()));
        Self { clock, shop, home, queue }
    }

    /// A place of this name.
    pub(crate) fn location(&self, name: &str) -> Location {
        match &self.home {
            Home::Folder(folder) => folder.path().join(format!("{name}.db")).into(),
            Home::Database(database) => in_schema(&database.url(), name),
            Home::Server(url) => in_schema(url, name),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            tick_every: Duration::from_millis(5),
            resend_every: Duration::from_secs(1),
            ..Settings::at(self.location("sagas"))
        }
    }

    pub(crate) fn feed(&self) -> Arc<dyn Feed> {
        Arc::new(EmbeddedFeed::new(Arc::clone(&self.shop.log) as _))
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(self.settings(), self.feed()).await
    }

    pub(crate) async fn start_with(&self, settings: Settings, feed: Arc<dyn Feed>) -> Running {
        self.start_as(settings, feed, self.clock.reader()).await
    }

    /// Starts one whose own clock is another than the log's.
    pub(crate) async fn start_by(&self, clock: Clock) -> Running {
        self.start_as(self.settings(), self.feed(), clock).await
    }

    async fn start_as(&self, settings: Settings, feed: Arc<dyn Feed>, clock: Clock) -> Running {
        let (queue, recorder) = (Arc::clone(&self.queue), Arc::new(NothingRecorded));
        let started = Orchestrator::start(settings, feed, queue, recorder, clock).await;
        Running::of(started.unwrap())
    }
}

fn in_schema(url: &str, name: &str) -> Location {
    Location::postgres(PostgresSettings::new(url, "test").unwrap(), name)
}

/// A running orchestrator, asked over its API.
pub(crate) struct Running {
    pub(crate) orchestrator: Orchestrator,
    router: Router,
}

impl Running {
    fn of(orchestrator: Orchestrator) -> Self {
        let (router, _) = orchestrator.router(&Access::open()).split_for_parts();
        Self { orchestrator, router }
    }

    /// The description of its API.
    pub(crate) fn described(&self) -> Value {
        let (_, described) = self.orchestrator.router(&Access::open()).split_for_parts();
        serde_json::to_value(described).unwrap()
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn until(&self, what: &str, enough: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.orchestrator.watch();
        let waited = tokio::time::timeout(PATIENCE, status.wait_for(enough)).await;
        match waited {
            Ok(Ok(status)) => status.clone(),
            _ => panic!("{what}: {:?}", self.orchestrator.status()),
        }
    }

    pub(crate) async fn until_live(&self) {
        self.until("it follows the log", |status| status.phase == Phase::Live).await;
    }

    pub(crate) async fn until_position(&self, position: u64) {
        self.until("it folds", |status| status.phase == Phase::Live && status.position >= position)
            .await;
    }

    /// Waits until a saga is at this state and step.
    pub(crate) async fn until_saga(&self, id: &str, state: &str, step: &str) -> Value {
        let there = |saga: &Value| saga["state"] == state && saga["step"] == step;
        self.until_told(id, "", there)
            .await
            .unwrap_or_else(|told| panic!("{state} at {step}: {told}"))
    }

    /// Waits until the provider has said of a step of the order `o1` that it does not know what became of it. Nothing else
    /// is recorded then, so the log's clock may move: an event of before, heard after, would take it back.
    pub(crate) async fn until_unknown(&self, step: &str) -> Value {
        let waits = format!("the provider to tell what became of {step}");
        let there = |told: &Value| told["waiting_for"] == waits;
        self.until_told("order-o1", "/explain", there)
            .await
            .unwrap_or_else(|told| panic!("{waits}: {told}"))
    }

    /// Waits until what is told of a saga is as wanted; if it never is, the explanation is the error.
    async fn until_told(
        &self,
        id: &str,
        what: &str,
        there: impl Fn(&Value) -> bool,
    ) -> Result<Value, Value> {
        let mut status = self.orchestrator.watch();
        let waiting = async {
            loop {
                let (_, told) = self.get(&format!("/sagas/{id}{what}")).await;
                if there(&told) {
                    return told;
                }
                status.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(told) => Ok(told),
            Err(_) => Err(self.explain(id).await),
        }
    }

    pub(crate) async fn explain(&self, id: &str) -> Value {
        self.get(&format!("/sagas/{id}/explain")).await.1
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        key: Option<&str>,
        body: Value,
    ) -> (StatusCode, Value) {
        self.ask(asking(path, key, &body)).await
    }

    /// The headers of the answer to a command.
    pub(crate) async fn headers(&self, path: &str, key: &str, body: Value) -> HeaderMap {
        let asked = asking(path, Some(key), &body);
        self.router.clone().oneshot(asked).await.unwrap().headers().clone()
    }

    /// The headers of the answer to a read, and its body.
    pub(crate) async fn read(&self, path: &str) -> (HeaderMap, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (headers, serde_json::from_slice(&body).unwrap())
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        if status == StatusCode::OK {
            assert!(response.headers().contains_key("docket-position"), "{response:?}");
        }
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Every saga with its explanation, whatever the times at which it was written and sent.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        let (_, page) = self.get("/sagas?limit=1000").await;
        let mut all = Vec::new();
        for saga in page["items"].as_array().unwrap() {
            let mut told = self.explain(saga["id"].as_str().unwrap()).await;
            let commands = told["commands"].as_array().unwrap();
            told["commands"] = commands.iter().map(|c| json!(c["command_id"])).collect();
            all.push(told);
        }
        all.sort_by_key(|saga| saga["id"].to_string());
        all
    }
}

/// A command.
fn asking(path: &str, key: Option<&str>, body: &Value) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    request.body(Body::from(body.to_string())).unwrap()
}
