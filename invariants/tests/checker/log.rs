//! A log made by hand: a shop with one order carried out and returned, one refused by the provider, one without stock.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store::{Metadata, RecordedEvent};
use serde_json::{Value, json};
use uuid::Uuid;

/// One command's append: its id, and its events by stream, type and payload.
#[derive(Clone)]
pub(crate) struct Append {
    pub(crate) command_id: String,
    pub(crate) events: Vec<(&'static str, Value)>,
}

/// Appends, to be broken before they are numbered.
#[derive(Clone)]
pub(crate) struct Log(pub(crate) Vec<Append>);

impl Log {
    /// The index of the first append with an event of this type about this order.
    pub(crate) fn find(&self, order: &str, event_type: &str) -> usize {
        let found = self.0.iter().position(|append| {
            let about = |(name, payload): &(&str, Value)| {
                *name == event_type && payload["order_id"] == order
            };
            append.events.iter().any(about)
        });
        found.unwrap_or_else(|| panic!("no {event_type} of {order}"))
    }

    /// The payload of the first event of this type about this order.
    pub(crate) fn payload(&mut self, order: &str, event_type: &str) -> &mut Value {
        let append = self.find(order, event_type);
        let events = &mut self.0[append].events;
        let found = events.iter_mut().find(|(name, _)| *name == event_type).unwrap();
        &mut found.1
    }

    /// Takes the append out that has the first event of this type about this order.
    pub(crate) fn forget(&mut self, order: &str, event_type: &str) {
        let append = self.find(order, event_type);
        self.0.remove(append);
    }

    /// Has that append happen again, under another command id, right after it.
    pub(crate) fn repeat(&mut self, order: &str, event_type: &str) {
        let at = self.find(order, event_type);
        let events = self.0[at].events.clone();
        self.0.insert(at + 1, Append { command_id: format!("again-{at}"), events });
    }

    /// One more append at the end.
    pub(crate) fn add(&mut self, events: Vec<(&'static str, Value)>) {
        let command_id = format!("added-{}", self.0.len());
        self.0.push(Append { command_id, events });
    }

    /// The log as it is read.
    pub(crate) fn recorded(&self) -> Vec<RecordedEvent> {
        let mut versions: HashMap<String, u64> = HashMap::new();
        let mut recorded = Vec::new();
        for Append { command_id, events } in &self.0 {
            for (event_type, payload) in events {
                let stream = stream_of(event_type, payload);
                let version = versions.entry(stream.clone()).or_default();
                *version += 1;
                recorded.push(RecordedEvent {
                    position: recorded.len() as u64 + 1,
                    stream: stream.as_str().into(),
                    version: *version,
                    id: id_at(recorded.len() as u64 + 1),
                    event_type: (*event_type).into(),
                    schema_version: 1,
                    payload: payload.to_string(),
                    metadata: Arc::new(Metadata {
                        command_id: command_id.as_str().into(),
                        actor: "anybody".into(),
                        correlation_id: command_id.as_str().into(),
                        causation_id: None,
                        traceparent: None,
                        occurred_at: DateTime::<Utc>::UNIX_EPOCH,
                    }),
                    recorded_at: DateTime::<Utc>::UNIX_EPOCH,
                });
            }
        }
        recorded
    }
}

/// The id of the event at a position.
pub(crate) fn id_at(position: u64) -> Uuid {
    Uuid::from_u128(position.into())
}

fn stream_of(event_type: &str, payload: &Value) -> String {
    let id = |name: &str| payload[name].as_str().unwrap().to_owned();
    let event = domain::event::Event::from_json(event_type, 1, &payload.to_string());
    event.map_or_else(|_| format!("order-{}", id("order_id")), |event| event.stream().to_string())
}

/// Two units at 2.50 and a service at 1.00 are bought, shipped, paid, and one unit comes back.
pub(crate) fn clean() -> Log {
    let mut log = Log(Vec::new());
    log.add(vec![(
        "ProductRegistered",
        json!({"sku": "mug", "name": "Mug", "unit_price": gbp(250), "stocked": true}),
    )]);
    log.add(vec![("StockReceived", json!({"sku": "mug", "quantity": 10}))]);
    carried_out(&mut log, "o1");
    returned(&mut log, "o1");
    declined(&mut log, "o2");
    log
}

pub(crate) fn gbp(amount: i64) -> Value {
    json!({"amount": amount, "currency": "GBP"})
}

pub(crate) fn placed(order: &str) -> (&'static str, Value) {
    let lines = json!([
        {"line": 1, "sku": "mug", "quantity": 2, "unit_price": 250, "stocked": true},
        {"line": 2, "sku": "post", "quantity": 1, "unit_price": 100, "stocked": false},
    ]);
    let placed = json!({
        "order_id": order, "currency": "GBP", "lines": lines, "total": 600,
        "payment_method": "pm_ok", "shipping_address": {"country": "France"},
    });
    ("OrderPlaced", placed)
}

fn begun(log: &mut Log, order: &str) {
    let payment = format!("{order}-p1");
    log.add(vec![placed(order)]);
    log.add(vec![
        ("StockReserved", json!({"sku": "mug", "order_id": order, "quantity": 2})),
        ("ReservationMade", json!({"order_id": order, "lines": [{"sku": "mug", "quantity": 2}]})),
    ]);
    let method = "pm_ok";
    log.add(vec![(
        "PaymentRequested",
        json!({"payment_id": payment, "order_id": order, "amount": gbp(600), "method": method, "attempt": 1}),
    )]);
}

fn carried_out(log: &mut Log, order: &str) {
    let (payment, shipment) = (format!("{order}-p1"), format!("{order}-s1"));
    let lines = json!([{"line": 1, "quantity": 2}, {"line": 2, "quantity": 1}]);
    let packed = json!([
        {"line": 1, "sku": "mug", "quantity": 2}, {"line": 2, "sku": "post", "quantity": 1},
    ]);
    let paid = |more: Value| merged(json!({"payment_id": payment, "order_id": order}), more);
    let sent = |more: Value| merged(json!({"shipment_id": shipment, "order_id": order}), more);
    begun(log, order);
    let promise = json!({"expires_at": "2011-01-01T00:00:00Z", "multi_capture": true});
    log.add(vec![("PaymentAuthorized", merged(paid(json!({"amount": gbp(600)})), promise))]);
    log.add(vec![("OrderConfirmed", json!({"order_id": order, "payment_id": payment}))]);
    log.add(vec![("ShipmentCreated", sent(json!({"lines": packed})))]);
    let label = json!({"carrier": "Post", "tracking": "1", "lines": packed});
    log.add(vec![("ShipmentShipped", sent(label))]);
    log.add(vec![
        ("StockShipped", json!({"sku": "mug", "order_id": order, "quantity": 2})),
        ("ReservationShipped", sent(json!({"lines": [{"sku": "mug", "quantity": 2}]}))),
    ]);
    let capture = json!({"shipment_id": shipment, "amount": gbp(600)});
    log.add(vec![("CaptureRequested", merged(paid(capture.clone()), json!({"attempt": 1})))]);
    log.add(vec![("PaymentCaptured", paid(capture))]);
    log.add(vec![("LinesShipped", sent(json!({"lines": lines})))]);
    log.add(vec![("ShipmentDelivered", sent(json!({"lines": packed})))]);
    log.add(vec![("LinesDelivered", sent(json!({"lines": lines})))]);
    log.add(vec![("OrderCompleted", json!({"order_id": order}))]);
}

fn returned(log: &mut Log, order: &str) {
    let (payment, return_id) = (format!("{order}-p1"), format!("{order}-r1"));
    let lines = json!([{"line": 1, "quantity": 1}]);
    let of = |more: Value| merged(json!({"order_id": order, "return_id": return_id}), more);
    log.add(vec![("ReturnRequested", of(json!({"lines": lines})))]);
    log.add(vec![("ReturnReceived", of(json!({"lines": lines, "restock": true, "amount": 250})))]);
    let refund = json!({"payment_id": payment, "amount": gbp(250)});
    log.add(vec![("RefundRequested", merged(of(refund.clone()), json!({"attempt": 1})))]);
    log.add(vec![("PaymentRefunded", of(refund))]);
    log.add(vec![
        ("StockRestocked", json!({"sku": "mug", "order_id": order, "quantity": 1})),
        ("ReturnStocked", of(json!({"lines": [{"sku": "mug", "quantity": 1}], "restocked": true}))),
    ]);
}

fn declined(log: &mut Log, order: &str) {
    begun(log, order);
    log.add(vec![(
        "PaymentDeclined",
        json!({"payment_id": format!("{order}-p1"), "order_id": order, "code": "card_declined"}),
    )]);
    let rejected = json!({"order_id": order, "reason": "card_declined"});
    log.add(vec![("RejectionStarted", rejected.clone())]);
    log.add(vec![
        ("StockReleased", json!({"sku": "mug", "order_id": order, "quantity": 2})),
        (
            "ReservationReleased",
            json!({"order_id": order, "lines": [{"sku": "mug", "quantity": 2}]}),
        ),
    ]);
    log.add(vec![("OrderRejected", rejected)]);
}

/// The clean log, and the service of its carried-out order comes back: nothing of it is ever stocked.
pub(crate) fn service_returned() -> Log {
    let mut log = clean();
    let lines = json!([{"line": 2, "quantity": 1}]);
    let of = |more: Value| merged(json!({"order_id": "o1", "return_id": "o1-r2"}), more);
    log.add(vec![("ReturnRequested", of(json!({"lines": lines})))]);
    log.add(vec![("ReturnReceived", of(json!({"lines": lines, "restock": true, "amount": 100})))]);
    let refund = json!({"payment_id": "o1-p1", "amount": gbp(100)});
    log.add(vec![("RefundRequested", merged(of(refund.clone()), json!({"attempt": 2})))]);
    log.add(vec![("PaymentRefunded", of(refund))]);
    log
}

/// The clean log, and a third order that is cancelled after its confirmation: a unit first, then the rest.
pub(crate) fn cancelled() -> Log {
    let mut log = clean();
    let (order, payment, shipment) = ("o3", "o3-p1", "o3-s1");
    begun(&mut log, order);
    let paid = |more: Value| merged(json!({"payment_id": payment, "order_id": order}), more);
    let promise = json!({"expires_at": "2011-01-01T00:00:00Z", "multi_capture": true});
    log.add(vec![("PaymentAuthorized", merged(paid(json!({"amount": gbp(600)})), promise))]);
    log.add(vec![("OrderConfirmed", json!({"order_id": order, "payment_id": payment}))]);
    let packed = json!([
        {"line": 1, "sku": "mug", "quantity": 2}, {"line": 2, "sku": "post", "quantity": 1},
    ]);
    let sent = |more: Value| merged(json!({"shipment_id": shipment, "order_id": order}), more);
    log.add(vec![("ShipmentCreated", sent(json!({"lines": packed})))]);
    let unit = json!([{"line": 1, "quantity": 1}]);
    let rest = json!([{"line": 1, "quantity": 1}, {"line": 2, "quantity": 1}]);
    for (nth, lines, amount) in [(1, unit, 250), (2, rest, 350)] {
        let id = format!("o3-c{nth}");
        let of = |more: Value| merged(json!({"order_id": order, "cancellation_id": id}), more);
        log.add(vec![("CancellationRequested", of(json!({"lines": lines})))]);
        let whole = nth == 2;
        log.add(vec![("ShipmentCancelled", of(sent(json!({"lines": lines, "whole": whole}))))]);
        log.add(vec![
            ("StockReleased", json!({"sku": "mug", "order_id": order, "quantity": 1})),
            (
                "ReservationReleased",
                json!({"order_id": order, "lines": [{"sku": "mug", "quantity": 1}]}),
            ),
        ]);
        let void = json!({"amount": gbp(amount)});
        log.add(vec![("VoidRequested", merged(paid(void.clone()), json!({"attempt": nth})))]);
        log.add(vec![("AuthorizationVoided", paid(void))]);
        log.add(vec![("LinesCancelled", of(json!({"lines": lines, "amount": amount})))]);
    }
    log.add(vec![("OrderCancelled", json!({"order_id": order}))]);
    log
}

pub(crate) fn merged(mut to: Value, more: Value) -> Value {
    if let (Value::Object(to), Value::Object(more)) = (&mut to, more) {
        to.extend(more);
    }
    to
}
