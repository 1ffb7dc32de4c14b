//! A workbench: a log, the service on a SQLite file or a PostgreSQL database, its API, and patience.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::Feed;
use messaging::record::{NothingRecorded, Recorder};
use notification_service::{EgressSettings, Networks, Notifications, Phase, Schedule, Settings};
use serde_json::{Value, json};
use service_kit::access::Access;
use service_kit::clock::{self, Clock};
use storage::postgres::PostgresSettings;
use storage::{Durability, LeaseSettings, Location, Store};
use tower::ServiceExt as _;
use utoipa::openapi::OpenApi;

use crate::log::Log;

/// Longer than anything here takes: a test that waits for ever fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long a receiver may take.
pub(crate) const DEADLINE: Duration = Duration::from_millis(400);

pub(crate) struct Bench {
    pub(crate) log: Log,
    home: Home,
}

/// Where the tables of a test live; gone with it.
enum Home {
    Folder(tempfile::TempDir),
    Database(test_servers::Database),
}

/// Each case on both dialects. Where PostgreSQL is not installed, that half is passed over with a word.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test]
            async fn $case() { super::$case(crate::bench::Bench::on_sqlite()).await; }
        )+ }
        mod postgres { $(
            #[tokio::test]
            async fn $case() {
                let Some(bench) = crate::bench::Bench::on_postgres() else { return };
                super::$case(bench).await;
            }
        )+ }
    };
}
pub(crate) use on_both;

impl Bench {
    pub(crate) fn on_sqlite() -> Self {
        Self { log: Log::new(), home: Home::Folder(tempfile::tempdir().unwrap()) }
    }

    pub(crate) fn on_postgres() -> Option<Self> {
        Some(Self { log: Log::new(), home: Home::Database(test_servers::database()?) })
    }

    pub(crate) fn location(&self) -> Location {
        match &self.home {
            Home::Folder(folder) => folder.path().join("notifications.db").into(),
            Home::Database(database) => {
                let settings = PostgresSettings::new(&database.url(), "test").unwrap();
                Location::postgres(settings, "notifications")
            }
        }
    }

    /// Tries again after a twentieth of a second, often; the loopback is a listed network.
    pub(crate) fn settings(&self) -> Settings {
        let networks = Networks::parse("127.0.0.0/8").unwrap();
        Settings {
            egress: EgressSettings { networks, deadline: DEADLINE, authorities: None },
            schedule: Schedule::of(vec![Duration::from_millis(50); 200]),
            ..Settings::at(self.location(), vec![7; 32])
        }
    }

    /// The same, for one of several processes.
    pub(crate) fn leased(&self) -> Settings {
        let lease = LeaseSettings::new("notification-service", "test".to_owned());
        Settings { lease: Some(lease), ..self.settings() }
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(self.settings()).await
    }

    pub(crate) async fn start_with(&self, settings: Settings) -> Running {
        self.start_on(&self.log, settings).await
    }

    /// Why it does not start.
    pub(crate) async fn refused_start(&self, settings: Settings) -> String {
        let feed: Arc<dyn Feed> = Arc::new(EmbeddedFeed::new(Arc::clone(&self.log.events) as _));
        let recorder = Arc::new(NothingRecorded);
        let started = Notifications::start(settings, feed, recorder, clock::system()).await;
        started.err().unwrap().to_string()
    }

    /// Every byte of a file, or every row of a database.
    pub(crate) async fn everything_kept(&self) -> String {
        let mut kept = String::new();
        match &self.home {
            Home::Folder(folder) => {
                for file in std::fs::read_dir(folder.path()).unwrap() {
                    let bytes = std::fs::read(file.unwrap().path()).unwrap();
                    kept.push_str(&String::from_utf8_lossy(&bytes));
                }
            }
            Home::Database(_) => {
                let store = Store::open(&self.location(), Durability::Full, 1).await.unwrap();
                for statement in [
                    "SELECT string_agg(deliveries::text, '') FROM deliveries",
                    "SELECT string_agg(attempts::text, '') FROM attempts",
                    "SELECT string_agg(endpoints::text, '') FROM endpoints",
                    "SELECT string_agg(done_requests::text, '') FROM done_requests",
                ] {
                    let mut reader = store.reader().await.unwrap();
                    let rows: Option<String> = reader.query(statement).scalar().await.unwrap();
                    kept.push_str(&rows.unwrap_or_default());
                }
                store.close().await;
            }
        }
        kept
    }

    /// The same, once it follows the log: it begins at the log's end.
    pub(crate) async fn start_live(&self) -> Running {
        let running = self.start().await;
        running.until_live().await;
        running
    }

    /// Over another log.
    pub(crate) async fn start_on(&self, log: &Log, settings: Settings) -> Running {
        self.start_by(log, settings, clock::system()).await
    }

    /// By another clock.
    pub(crate) async fn start_by(&self, log: &Log, settings: Settings, clock: Clock) -> Running {
        let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&log.events) as _));
        self.start_over(feed, settings, clock).await
    }

    /// Over this feed of the log.
    pub(crate) async fn start_over(
        &self,
        feed: Arc<dyn Feed>,
        settings: Settings,
        clock: Clock,
    ) -> Running {
        self.start_of(feed, Arc::new(NothingRecorded), settings, clock).await
    }

    /// With this owner of the log.
    pub(crate) async fn start_recording(&self, recorder: Arc<dyn Recorder>) -> Running {
        let feed = Arc::new(EmbeddedFeed::new(Arc::clone(&self.log.events) as _));
        self.start_of(feed, recorder, self.settings(), clock::system()).await
    }

    async fn start_of(
        &self,
        feed: Arc<dyn Feed>,
        recorder: Arc<dyn Recorder>,
        settings: Settings,
        clock: Clock,
    ) -> Running {
        let started = Notifications::start(settings, feed, recorder, clock).await;
        let service = started.unwrap();
        let (router, described) = service.router(&Access::open()).split_for_parts();
        Running { service, router, described }
    }
}

/// A running service, asked over its API.
pub(crate) struct Running {
    pub(crate) service: Notifications,
    router: Router,
    described: OpenApi,
}

impl Running {
    /// Waits until it follows the log.
    pub(crate) async fn until_live(&self) {
        let mut status = self.service.watch();
        let live = status.wait_for(|status| status.phase == Phase::Live);
        tokio::time::timeout(PATIENCE, live).await.unwrap().unwrap();
    }

    /// What `/openapi.json` says of it.
    pub(crate) fn described(&self) -> Value {
        serde_json::to_value(&self.described).unwrap()
    }

    /// Has this address told of all events; the webhook, with its secret.
    pub(crate) async fn register(&self, url: &str) -> Value {
        let (status, webhook) =
            self.post("/webhooks", url, json!({ "url": url, "reason": "go live" })).await;
        assert_eq!(status, StatusCode::CREATED, "{webhook}");
        webhook
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(key), Some(body)).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.send(request.body(body).unwrap()).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends a request; its answer may go on for ever.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Waits until what is under this path is as wanted.
    pub(crate) async fn until(&self, path: &str, there: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            let body = self.get(path).await;
            if there(&body) {
                return body;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stayed {body:#}");
        }
    }

    /// Waits until so many deliveries of a webhook are in this state.
    pub(crate) async fn until_deliveries(
        &self,
        webhook: &Value,
        state: &str,
        count: usize,
    ) -> Value {
        let path = format!("/webhooks/{}/deliveries?state={state}", id(webhook));
        self.until(&path, |page| page["items"].as_array().unwrap().len() == count).await
    }
}

pub(crate) fn id(webhook: &Value) -> &str {
    webhook["id"].as_str().unwrap()
}
