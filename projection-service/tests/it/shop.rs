//! A small shop: a log, a feed, the service, and events to append.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{DateTime, Utc};
use domain::event::Event;
use event_store::keys::{MasterKey, Vault, memory::MemoryKeys};
use event_store::memory::MemoryLog;
use event_store::{AppendTransaction, EventLog, Metadata, NewEvent, Verdict};
use messaging::embedded::EmbeddedFeed;
use messaging::record::{NothingRecorded, Recorder};
use projection_service::runner::KeepFor;
use projection_service::{Home, NoSagaStates, ProjectionService, Projector, Settings};
use serde_json::{Value, json};
use service_kit::access::Access;
use storage::LeaseSettings;
use tower::ServiceExt;

pub(crate) struct Shop {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) home: Home,
    pub(crate) keep_for: KeepFor,
    commands: u32,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Shop {
    pub(crate) fn new(home: Home) -> Self {
        let vault = Vault::new(Arc::new(MemoryKeys::new()), MasterKey::from_bytes([7; 32]));
        Self {
            log: Arc::new(MemoryLog::new()),
            vault: Arc::new(vault),
            home,
            keep_for: KeepFor::default(),
            commands: 0,
        }
    }

    pub(crate) fn feed(&self) -> Arc<EmbeddedFeed> {
        Arc::new(EmbeddedFeed::new(Arc::clone(&self.log) as Arc<dyn EventLog>))
    }

    pub(crate) async fn start(&self) -> ProjectionService {
        self.start_with(None).await
    }

    /// Waits for the lease first, if there is one.
    pub(crate) async fn start_with(&self, lease: Option<LeaseSettings>) -> ProjectionService {
        self.start_both(lease, Arc::new(NothingRecorded)).await
    }

    /// With operators' actions recorded here.
    pub(crate) async fn start_recording(&self, recorder: Arc<dyn Recorder>) -> ProjectionService {
        self.start_both(None, recorder).await
    }

    async fn start_both(
        &self,
        lease: Option<LeaseSettings>,
        recorder: Arc<dyn Recorder>,
    ) -> ProjectionService {
        let keep_for = self.keep_for;
        let settings = Settings { keep_for, lease, ..Settings::at(self.home.clone()) };
        let (vault, sagas) = (Arc::clone(&self.vault), Arc::new(NoSagaStates));
        ProjectionService::start(settings, self.feed(), vault, sagas, recorder).await.unwrap()
    }

    /// Appends events that happened at this time, in one append each.
    pub(crate) async fn append(&mut self, at: &str, events: &[(&str, Value)]) -> u64 {
        let mut position = 0;
        for (event_type, payload) in events {
            let event = Event::from_json(event_type, 1, &payload.to_string()).unwrap();
            let stream = event.stream().to_string();
            position = self.append_raw(at, &stream, event_type, payload.to_string()).await;
        }
        position
    }

    /// Appends whatever it is given.
    pub(crate) async fn append_raw(
        &mut self,
        at: &str,
        stream: &str,
        event_type: &str,
        payload: String,
    ) -> u64 {
        self.commands += 1;
        let command_id: Arc<str> = self.commands.to_string().into();
        let occurred_at: DateTime<Utc> = at.parse().unwrap();
        let transaction = AppendTransaction {
            command_id: Arc::clone(&command_id),
            request_hash: [0; 32],
            reads: vec![],
            events: vec![NewEvent {
                stream: stream.into(),
                event_type: event_type.into(),
                schema_version: 1,
                payload,
            }],
            metadata: Arc::new(Metadata {
                command_id: Arc::clone(&command_id),
                actor: "test".into(),
                correlation_id: command_id,
                causation_id: None,
                traceparent: None,
                occurred_at,
            }),
            answer: None,
            intents: vec![],
        };
        let name = stream.into();
        let before = self.log.read_stream(&name, 0, 100_000).await.unwrap();
        let version = before.len() as u64;
        let transaction =
            AppendTransaction { reads: vec![(stream.into(), version)], ..transaction };
        match self.log.append(vec![transaction]).await.unwrap().pop() {
            Some(Verdict::Committed { position, .. }) => position,
            other => panic!("{other:?}"),
        }
    }

    /// One order from placed to completed, day by day.
    pub(crate) async fn completed_order(&mut self, id: &str, at: &str, sku: &str) -> u64 {
        let events = completed(id, sku);
        self.append(at, &events).await
    }
}

/// The events of an order of 3 units at 2.50, from placed to completed.
pub(crate) fn completed(id: &str, sku: &str) -> Vec<(&'static str, Value)> {
    let (payment, shipment) = (format!("{id}-p1"), format!("{id}-s1"));
    let money = json!({ "amount": 750, "currency": "GBP" });
    let held = json!({ "sku": sku, "order_id": id, "quantity": 3 });
    let parcel = json!([{ "line": 1, "sku": sku, "quantity": 3 }]);
    let lines = json!([{ "line": 1, "quantity": 3 }]);
    let paid = json!({ "payment_id": payment, "order_id": id });
    let with = |base: &Value, more: Value| {
        let mut all = base.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let parcelled = json!({ "shipment_id": shipment, "order_id": id });
    vec![
        placed(id, sku, 3),
        ("StockReserved", held.clone()),
        ("ReservationMade", json!({ "order_id": id, "lines": [{ "sku": sku, "quantity": 3 }] })),
        (
            "PaymentRequested",
            with(&paid, json!({ "amount": money, "method": "pm_ok", "attempt": 1 })),
        ),
        (
            "PaymentAuthorized",
            with(
                &paid,
                json!({ "amount": money, "expires_at": "2030-01-01T00:00:00Z", "multi_capture": true }),
            ),
        ),
        ("OrderConfirmed", paid.clone()),
        ("ShipmentCreated", with(&parcelled, json!({ "lines": parcel }))),
        (
            "ShipmentShipped",
            with(&parcelled, json!({ "lines": parcel, "carrier": "DHL", "tracking": "T1" })),
        ),
        ("StockShipped", held),
        (
            "CaptureRequested",
            with(&paid, json!({ "shipment_id": shipment, "amount": money, "attempt": 1 })),
        ),
        ("PaymentCaptured", with(&paid, json!({ "shipment_id": shipment, "amount": money }))),
        ("LinesShipped", with(&parcelled, json!({ "lines": lines }))),
        ("ShipmentDelivered", with(&parcelled, json!({ "lines": parcel }))),
        ("LinesDelivered", with(&parcelled, json!({ "lines": lines }))),
        ("OrderCompleted", json!({ "order_id": id })),
    ]
}

/// An order was placed.
pub(crate) fn placed(id: &str, sku: &str, quantity: u32) -> (&'static str, Value) {
    let order = json!({
        "order_id": id, "customer_id": "c1", "currency": "GBP", "total": 250 * quantity,
        "lines": [{ "line": 1, "sku": sku, "quantity": quantity, "unit_price": 250, "stocked": true }],
        "payment_method": "pm_ok", "shipping_address": { "country": "France" }, "reference": id,
    });
    ("OrderPlaced", order)
}

/// Asks the service's router.
pub(crate) async fn ask(service: &ProjectionService, method: &str, uri: &str) -> Answer {
    let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
    send(service, request).await
}

/// Why an operator does something to a read model.
pub(crate) const WHY: &str = r#"{"reason":"looking into it"}"#;

/// Posts a JSON body, with an idempotency key or without.
pub(crate) async fn post(
    service: &ProjectionService,
    uri: &str,
    key: Option<&str>,
    body: &'static str,
) -> Answer {
    let mut request =
        Request::builder().method("POST").uri(uri).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(service, request.body(Body::from(body)).unwrap()).await
}

async fn send(service: &ProjectionService, request: Request<Body>) -> Answer {
    let (router, _) = service.router(&Access::open()).split_for_parts();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

/// Asks for a body that has to be there.
pub(crate) async fn get(service: &ProjectionService, uri: &str) -> Value {
    let answer = ask(service, "GET", uri).await;
    assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.body);
    answer.body
}

/// Waits until every projector that can is at this position.
pub(crate) async fn caught_up(service: &ProjectionService, position: u64) {
    for handle in service.handles() {
        let mut status = handle.status();
        status
            .wait_for(|status| status.position >= position || status.fault.is_some())
            .await
            .unwrap();
    }
}

/// The digests of every model, whole.
pub(crate) async fn digests(service: &ProjectionService) -> Vec<String> {
    let mut digests = Vec::new();
    for handle in service.handles() {
        let database = handle.current().database;
        let mut connection = database.reader().await.unwrap();
        let definition = handle.projector.definition();
        let found = projection_service::storage::digest::digest(&mut connection, definition);
        digests.extend(found.await.unwrap().into_iter().map(|one| format!("{one:?}")));
    }
    digests
}

pub(crate) fn all() -> &'static [Projector] {
    Projector::ALL
}
