//! A log in memory, and orders whose events are appended to it as they are.

use std::collections::HashMap;
use std::sync::Arc;

use domain::event::Event;
use event_store::memory::MemoryLog;
use event_store::{AppendTransaction, EventLog, Metadata, NewEvent, StreamId, Verdict};
use serde_json::{Value, json};
use service_kit::clock;
use tokio::sync::Mutex;

/// What happens to an order.
pub(crate) struct Log {
    pub(crate) events: Arc<MemoryLog>,
    versions: Mutex<HashMap<StreamId, u64>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            events: Arc::new(MemoryLog::with_clock(clock::system())),
            versions: Mutex::default(),
        }
    }

    pub(crate) async fn append(&self, event_type: &str, payload: Value) {
        let event = Event::from_json(event_type, 1, &payload.to_string()).unwrap();
        let stream: StreamId = event.stream().to_string().into();
        let mut versions = self.versions.lock().await;
        let version = versions.entry(Arc::clone(&stream)).or_default();
        let command_id: Arc<str> = format!("{stream}/{version}").into();
        let transaction = AppendTransaction {
            command_id: Arc::clone(&command_id),
            request_hash: [0; 32],
            reads: vec![(Arc::clone(&stream), *version)],
            events: vec![NewEvent {
                stream,
                event_type: event.event_type().into(),
                schema_version: event.schema_version(),
                payload: event.to_json().unwrap(),
            }],
            metadata: Arc::new(Metadata {
                command_id: Arc::clone(&command_id),
                actor: "test".into(),
                correlation_id: command_id,
                causation_id: None,
                traceparent: None,
                occurred_at: clock::system()(),
            }),
            answer: None,
            intents: Vec::new(),
        };
        let verdicts = self.events.append(vec![transaction]).await.unwrap();
        assert!(matches!(verdicts[..], [Verdict::Committed { .. }]), "{verdicts:?}");
        *version += 1;
    }

    /// An order of a known customer.
    pub(crate) async fn place(&self, order: &str) {
        self.place_for(order, Some("17850")).await;
    }

    /// An order of this customer, or of a guest.
    pub(crate) async fn place_for(&self, order: &str, customer: Option<&str>) {
        let placed = json!({ "order_id": order, "customer_id": customer, "currency": "GBP", "total": 2550,
            "lines": [{ "line": 1, "sku": "22423", "quantity": 2, "unit_price": 1275, "stocked": true }],
            "payment_method": "pm_ok", "shipping_address": { "country": "United Kingdom" } });
        self.append("OrderPlaced", placed).await;
    }

    pub(crate) async fn confirm(&self, order: &str) {
        let payment = format!("{order}-p1");
        self.append("OrderConfirmed", json!({ "order_id": order, "payment_id": payment })).await;
    }

    pub(crate) async fn ship(&self, order: &str) {
        let shipped = json!({ "shipment_id": format!("{order}-s1"), "order_id": order, "carrier": "Royal Mail",
            "tracking": "RM1", "lines": [{ "line": 1, "sku": "22423", "quantity": 2 }] });
        self.append("ShipmentShipped", shipped).await;
    }

    pub(crate) async fn deliver(&self, order: &str) {
        let delivered = json!({ "shipment_id": format!("{order}-s1"), "order_id": order,
            "lines": [{ "line": 1, "sku": "22423", "quantity": 2 }] });
        self.append("ShipmentDelivered", delivered).await;
    }

    pub(crate) async fn reject(&self, order: &str, code: &str) {
        self.append("OrderRejected", json!({ "order_id": order, "reason": code })).await;
    }

    /// All that is left of an order is cancelled: two events, as one append has them.
    pub(crate) async fn cancel(&self, order: &str) {
        let lines = json!({ "order_id": order, "cancellation_id": format!("{order}-c"), "amount": 2550,
            "lines": [{ "line": 1, "quantity": 2 }] });
        self.append("LinesCancelled", lines).await;
        self.append("OrderCancelled", json!({ "order_id": order })).await;
    }

    pub(crate) async fn complete(&self, order: &str) {
        self.append("OrderCompleted", json!({ "order_id": order })).await;
    }

    pub(crate) fn head(&self) -> u64 {
        *self.events.head().borrow()
    }
}
