//! What the tests stand on: a faulty log, a whole service in memory, and short ways to ask it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use command_service::parking::DeadLetters;
use command_service::payments::RunnerSettings;
use command_service::payments::simulator::Ledger;
use command_service::payments::stripe::webhook::Signatures;
use command_service::processor::{
    Answer, ExecuteError, Outcome, Processor, ProcessorSettings, Request as Asked, WithoutEffect,
};
use command_service::{CommandService, CommandSettings, Provider, RequestHasher};
use domain::command::Command;
use event_store::keys::memory::MemoryKeys;
use event_store::keys::{MasterKey, Vault};
use event_store::memory::MemoryLog;
use event_store::{
    AppendError, AppendTransaction, EventLog, Intent, LoadRequest, Loaded, LogIdentity, Metadata,
    Position, RecordedEvent, Snapshot, StoreError, StreamId, Verdict, Version,
};
use futures::future::BoxFuture;
use serde_json::Value;
use service_kit::access::Access;
use service_kit::clock::system;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::watch;
use tower::ServiceExt;

/// What goes wrong with an append.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// It is not carried out.
    NotDone,
}

/// A log whose appends go wrong as told; with `forever` as the last fault they never go right again. It counts its loads.
pub(crate) struct FaultyLog {
    inner: Arc<dyn EventLog>,
    faults: Mutex<VecDeque<Fault>>,
    forever: bool,
    loads: AtomicUsize,
    shut_outs: AtomicUsize,
    /// What was given up can't be shut out.
    is_deaf: AtomicBool,
}

impl FaultyLog {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        let faults = Mutex::new(faults.into_iter().collect());
        Arc::new(Self { faults, ..Self::sound(MemoryLog::new()) })
    }

    /// A faultless log over another backend.
    pub(crate) fn over(inner: impl EventLog) -> Arc<Self> {
        Arc::new(Self::sound(inner))
    }

    pub(crate) fn broken() -> Arc<Self> {
        Arc::new(Self { forever: true, ..Self::sound(MemoryLog::new()) })
    }

    /// The next append goes wrong like this.
    pub(crate) fn goes_wrong_next(&self, fault: Fault) {
        self.faults.lock().unwrap().push_back(fault);
    }

    /// Appends go right again from now on.
    pub(crate) fn goes_right_again(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// Whether what was given up can't be shut out now.
    pub(crate) fn is_deaf(&self, is_deaf: bool) {
        self.is_deaf.store(is_deaf, Ordering::Relaxed);
    }

    /// How often what was given up was shut out.
    pub(crate) fn shut_outs(&self) -> usize {
        self.shut_outs.load(Ordering::Relaxed)
    }

    /// How often it was asked for streams or answers.
    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }

    fn sound(inner: impl EventLog) -> Self {
        Self {
            inner: Arc::new(inner),
            faults: Mutex::default(),
            forever: false,
            loads: AtomicUsize::default(),
            shut_outs: AtomicUsize::default(),
            is_deaf: AtomicBool::default(),
        }
    }
}

impl EventLog for FaultyLog {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        let fault = self.faults.lock().unwrap().pop_front();
        let fault = fault.or(self.forever.then_some(Fault::NotDone));
        Box::pin(async move {
            match fault {
                None => self.inner.append(batch).await,
                Some(Fault::NotDone) => Err(StoreError::new("append", "no connection").into()),
                Some(Fault::AnswerLost) => {
                    self.inner.append(batch).await?;
                    Err(StoreError::new("append", "connection lost").into())
                }
            }
        })
    }

    fn shut_out(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            if self.is_deaf.load(Ordering::Relaxed) {
                return Err(StoreError::new("shut out", "no connection").into());
            }
            self.shut_outs.fetch_add(1, Ordering::Relaxed);
            self.inner.shut_out().await
        })
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.inner.load(request)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        self.inner.read_stream(stream, after, limit)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        self.inner.read_all(after, limit)
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        self.inner.open_intents()
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.save_snapshots(schema_hash, snapshots)
    }
}

/// A processor alone over a log.
pub(crate) fn processor(log: &Arc<FaultyLog>, settings: ProcessorSettings) -> Processor {
    Processor::start(Arc::clone(log) as _, system(), settings, Vec::new())
}

/// A command under this id.
pub(crate) fn asked(id: &str, command: impl Into<Command>) -> Asked {
    let command = command.into();
    let body = serde_json::to_vec(&command).unwrap();
    Asked {
        command_id: id.into(),
        request_hash: RequestHasher::new(b"test").hash(&[&body]),
        command,
        expected: None,
        metadata: Arc::new(Metadata {
            command_id: id.into(),
            actor: "test".into(),
            correlation_id: id.into(),
            causation_id: None,
            traceparent: None,
            occurred_at: system()(),
        }),
        answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
        without_effect: WithoutEffect::Answer,
    }
}

/// Carries a command out.
pub(crate) async fn execute(
    processor: &Processor,
    id: &str,
    command: impl Into<Command>,
) -> Result<Outcome, ExecuteError> {
    processor.handle().execute(asked(id, command)).await
}

/// Every event of the log.
pub(crate) async fn events(log: &dyn EventLog) -> Vec<RecordedEvent> {
    log.read_all(0, 100_000).await.unwrap()
}

/// The types of a stream's events.
pub(crate) async fn types(log: &dyn EventLog, stream: &str) -> Vec<String> {
    let events = log.read_stream(&stream.into(), 0, 10_000).await.unwrap();
    events.iter().map(|event| event.event_type.to_string()).collect()
}

/// Waits until the log has an event of this type in this stream.
pub(crate) async fn until(log: &dyn EventLog, stream: &str, event_type: &str) {
    let mut head = log.head();
    let seen = async {
        while !types(log, stream).await.iter().any(|found| found == event_type) {
            head.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), seen).await;
    assert!(waited.is_ok(), "no {event_type} in {stream}: {:?}", types(log, stream).await);
}

/// The whole service, in memory but for the provider's ledger.
pub(crate) struct TestApp {
    pub(crate) service: CommandService,
    pub(crate) log: Arc<FaultyLog>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) ledger: Ledger,
    payments: RunnerSettings,
    router: Router,
    // The ledger's file lives as long as this.
    folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answered {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.body);
        &self.body
    }

    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &code.into()), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        &self.body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl TestApp {
    /// With a provider that is waited for as long as a loaded machine may take.
    pub(crate) async fn start() -> Self {
        Self::over(FaultyLog::new([])).await
    }

    /// With a provider that is not waited for: what it is late for is unknown soon.
    pub(crate) async fn impatient() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
        let payments = RunnerSettings { deadline: Duration::from_millis(100), ..patient() };
        Self::paying(FaultyLog::new([]), ledger, folder, payments)
    }

    /// Open intents are looked at this often; the provider honours its keys so long.
    pub(crate) async fn scanning(scan_every: Duration, key_lifetime: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
        let payments = RunnerSettings { scan_every, key_lifetime, ..patient() };
        Self::paying(FaultyLog::new([]), ledger, folder, payments)
    }

    /// With a processor of these bounds.
    pub(crate) async fn bounded(processor: ProcessorSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
        let provider = Provider::Simulated(ledger.clone());
        let log = FaultyLog::new([]);
        Self::with_all(log, ledger, folder, patient(), provider, processor)
    }

    pub(crate) async fn over(log: Arc<FaultyLog>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
        Self::paying(log, ledger, folder, patient())
    }

    /// With a place for messages that nobody understands.
    pub(crate) async fn with_dead_letters() -> Self {
        let app = Self::start().await;
        let letters = Arc::new(app.letters().await);
        app.keeping(letters)
    }

    /// With these letters, wherever they are.
    pub(crate) fn keeping(mut self, letters: Arc<DeadLetters>) -> Self {
        self.service = self.service.with_dead_letters(letters);
        self.router = router(&self.service);
        self
    }

    /// That takes in what Stripe tells by itself.
    pub(crate) fn taking_notices(mut self, signatures: Option<Signatures>) -> Self {
        self.service = self.service.with_stripe_notices(signatures);
        self.router = router(&self.service);
        self
    }

    /// The same letters, opened once more.
    pub(crate) async fn letters(&self) -> DeadLetters {
        DeadLetters::open(&self.letters_file().into(), system()).await.unwrap()
    }

    /// As if another message had been parked.
    pub(crate) async fn rewrite_letter(&self, id: &str, body: &str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.letters_file());
        let mut connection = options.connect().await.unwrap();
        let rewrite = sqlx::query("UPDATE dead_letters SET body = $2 WHERE id = $1");
        rewrite.bind(id).bind(body).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Nothing can be parked any more.
    pub(crate) async fn lose_letters(&self) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.letters_file());
        let mut connection = options.connect().await.unwrap();
        sqlx::query("DROP TABLE dead_letters").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    fn letters_file(&self) -> std::path::PathBuf {
        self.folder.path().join("dead-letters.db")
    }

    /// With a provider that is made over the ledger.
    pub(crate) async fn asking(provider: impl FnOnce(Ledger) -> Provider) -> Self {
        Self::asking_with(patient(), provider).await
    }

    /// The same, with these settings of the runner.
    pub(crate) async fn asking_with(
        payments: RunnerSettings,
        provider: impl FnOnce(Ledger) -> Provider,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("provider.db")).await.unwrap();
        let provider = provider(ledger.clone());
        Self::with_provider(FaultyLog::new([]), ledger, folder, payments, provider)
    }

    fn paying(
        log: Arc<FaultyLog>,
        ledger: Ledger,
        folder: tempfile::TempDir,
        payments: RunnerSettings,
    ) -> Self {
        let provider = Provider::Simulated(ledger.clone());
        Self::with_provider(log, ledger, folder, payments, provider)
    }

    fn with_provider(
        log: Arc<FaultyLog>,
        ledger: Ledger,
        folder: tempfile::TempDir,
        payments: RunnerSettings,
        provider: Provider,
    ) -> Self {
        let processor = ProcessorSettings::default();
        Self::with_all(log, ledger, folder, payments, provider, processor)
    }

    fn with_all(
        log: Arc<FaultyLog>,
        ledger: Ledger,
        folder: tempfile::TempDir,
        payments: RunnerSettings,
        provider: Provider,
        processor: ProcessorSettings,
    ) -> Self {
        let master = MasterKey::from_bytes([7; 32]);
        let vault = Arc::new(Vault::new(Arc::new(MemoryKeys::new()), master));
        let settings = CommandSettings {
            request_secret: b"test".to_vec(),
            processor,
            payments: payments.clone(),
        };
        let service = CommandService::start(
            settings,
            Arc::clone(&log) as _,
            Arc::clone(&vault),
            provider,
            system(),
        );
        let router = router(&service);
        Self { service, log, vault, ledger, payments, router, folder }
    }

    /// The process ends and another one starts over the same log and ledger.
    pub(crate) async fn restart(self) -> Self {
        let Self { service, log, ledger, payments, folder, .. } = self;
        service.shutdown().await;
        Self::paying(log, ledger, folder, payments)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answered { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: impl ToString) -> Answered {
        self.post_with(path, &[("idempotency-key", key)], body).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl ToString,
    ) -> Answered {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, key: &str, body: Vec<u8>) -> Answered {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.header("idempotency-key", key);
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sells a product and has so many units of it.
    pub(crate) async fn sell(&self, sku: &str, units: u32) {
        let product = serde_json::json!({ "sku": sku, "name": "A product",
            "unit_price": { "amount": 1275, "currency": "GBP" }, "stocked": true });
        self.post("/products", &format!("sell/{sku}"), product).await.is(201);
        let received = serde_json::json!({ "quantity": units });
        let path = format!("/stock/{sku}/receive");
        self.post(&path, &format!("receive/{sku}"), received).await.is(200);
    }
}

/// No answer is late because the machine is busy; what is unknown is asked for again soon.
pub(crate) fn patient() -> RunnerSettings {
    RunnerSettings {
        deadline: Duration::from_mins(1),
        probe_first: Duration::from_millis(10),
        ..RunnerSettings::default()
    }
}

fn router(service: &CommandService) -> axum::Router {
    let (router, _) = service.router(&Access::open()).split_for_parts();
    let router = service_kit::http::finish(router.merge(axum::Router::from(service.notices())));
    let valve = service.valve(|method, _| *method == axum::http::Method::POST);
    axum::Router::new().fallback_service(valve.before(router))
}
