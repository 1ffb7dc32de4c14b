//! The folds that the other tests do not reach: given these events, then this row.

use domain::event::Event;
use projection_service::folds::order_row::{OrderRow, OrderStatus, Pending};
use projection_service::folds::{Seen, orders, payments, products, shipments};
use serde_json::{Value, json};

use crate::shop::placed;

fn seen(version: u64) -> Seen {
    Seen { version, occurred_at: "2010-12-01T08:26:00Z".parse().unwrap() }
}

fn event((event_type, payload): &(&str, Value)) -> Event {
    Event::from_json(event_type, 1, &payload.to_string()).unwrap()
}

fn order(events: &[(&str, Value)]) -> OrderRow {
    let mut row = None;
    for (version, one) in (1..).zip(events) {
        row = orders::fold(row, &event(one), seen(version)).unwrap();
    }
    row.unwrap()
}

#[test]
fn a_product_takes_another_name_and_another_price() {
    let price = |amount: i64| json!({ "amount": amount, "currency": "GBP" });
    let events = [
        (
            "ProductRegistered",
            json!({ "sku": "a", "name": "a", "unit_price": price(0), "stocked": true }),
        ),
        ("ProductRenamed", json!({ "sku": "a", "name": "Mug" })),
        ("PriceChanged", json!({ "sku": "a", "unit_price": price(255) })),
    ];
    let mut row = None;
    for (version, one) in (1..).zip(&events) {
        let Event::Product(one) = event(one) else { panic!("{} is of a product", one.0) };
        row = Some(products::fold(row, &one, seen(version)).unwrap());
    }
    let row = row.unwrap();
    assert_eq!((row.name.as_str(), row.unit_price.minor(), row.version), ("Mug", 255, 3));
}

#[test]
fn a_held_order_remembers_where_it_was() {
    let id = json!({ "order_id": "o1" });
    let held = json!({ "order_id": "o1", "reason": "look at it" });
    let mut events =
        vec![placed("o1", "a", 1), ("OrderConfirmed", id.clone()), ("OrderHeld", held)];
    let row = order(&events);
    assert_eq!((row.status(), row.reason.as_deref()), (OrderStatus::OnHold, Some("look at it")));
    events.push(("HoldReleased", id));
    let row = order(&events);
    assert_eq!((row.status(), row.reason), (OrderStatus::Confirmed, None));
}

#[test]
fn a_rejected_order_keeps_its_reason() {
    let reason = json!({ "order_id": "o1", "reason": "out_of_stock" });
    let started = order(&[placed("o1", "a", 1), ("RejectionStarted", reason.clone())]);
    assert_eq!(started.status(), OrderStatus::Placed);
    let row = order(&[
        placed("o1", "a", 1),
        ("RejectionStarted", reason.clone()),
        ("OrderRejected", reason),
    ]);
    assert_eq!(
        (row.status(), row.reason.as_deref()),
        (OrderStatus::Rejected, Some("out_of_stock"))
    );
}

#[test]
fn a_cancellation_before_the_confirmation_ends_the_hold_and_its_reason() {
    let held = json!({ "order_id": "o1", "reason": "h" });
    let asked = json!({ "order_id": "o1", "lines": [{ "line": 1, "quantity": 2 }], "reason": "c" });
    let mut events =
        vec![placed("o1", "a", 2), ("OrderHeld", held), ("CancellationRequested", asked)];
    let row = order(&events);
    assert_eq!((row.status(), row.pending), (OrderStatus::Placed, Some(Pending::Cancellation)));
    assert_eq!(row.reason.as_deref(), Some("c"));
    events.push(("OrderCancelled", json!({ "order_id": "o1", "reason": "c" })));
    let row = order(&events);
    assert_eq!((row.status(), row.pending), (OrderStatus::Cancelled, None));
}

#[test]
fn nothing_of_an_order_that_was_given_up_is_open() {
    let id = json!({ "order_id": "o1", "reason": "r" });
    let part = json!({ "order_id": "o1", "cancellation_id": "o1-c1",
        "lines": [{ "line": 1, "quantity": 2 }], "amount": 500 });
    for events in [
        vec![placed("o1", "a", 5), ("OrderCancelled", id.clone())],
        vec![placed("o1", "a", 5), ("OrderRejected", id.clone())],
        vec![placed("o1", "a", 5), ("LinesCancelled", part), ("OrderCancelled", id)],
    ] {
        let line = order(&events).lines.remove(0);
        assert_eq!((line.open(), line.cancelled, line.quantity), (0, 5, 5), "{events:?}");
    }
}

#[test]
fn an_event_of_an_order_that_nothing_began_is_a_fault() {
    let completed = event(&("OrderCompleted", json!({ "order_id": "o1" })));
    let error = orders::fold(None, &completed, seen(1)).unwrap_err();
    assert!(error.to_string().contains("`o1`"), "{error}");
}

#[test]
fn a_split_parcel_keeps_what_was_not_moved() {
    let parcel = json!({ "shipment_id": "o1-s1", "order_id": "o1",
        "lines": [{ "line": 1, "sku": "a", "quantity": 5 }, { "line": 2, "sku": "b", "quantity": 2 }] });
    let split = json!({ "shipment_id": "o1-s1", "order_id": "o1", "remainder_id": "o1-s2",
        "moved": [{ "line": 1, "quantity": 3 }, { "line": 2, "quantity": 2 }] });
    let mut row = None;
    for one in [("ShipmentCreated", parcel), ("ShipmentSplit", split)] {
        let Event::Shipment(event) = event(&one) else { panic!("{one:?}") };
        row = Some(shipments::fold(row, &event, seen(1)).unwrap());
    }
    let lines = row.unwrap().lines;
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].line, lines[0].quantity.get()), (1, 2));
}

#[test]
fn a_payment_that_is_not_answered_is_unknown_until_it_is() {
    let ids = |more: Value| {
        let mut all = json!({ "payment_id": "o1-p1", "order_id": "o1" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let money = json!({ "amount": 100, "currency": "GBP" });
    let events = [
        (
            "PaymentRequested",
            ids(json!({ "amount": money, "method": "pm_ok", "attempt": 1 })),
            "requested",
        ),
        (
            "PaymentOutcomeUnknown",
            ids(json!({ "operation": "authorize", "attempt": 1 })),
            "unknown",
        ),
        ("PaymentDeclined", ids(json!({ "code": "payment_failed" })), "declined"),
    ];
    let mut row = None;
    for (event_type, payload, status) in events {
        let whole = event(&(event_type, payload));
        let Event::Payment(event) = &whole else { panic!("{event_type}") };
        let folded = payments::fold(row, event, whole.order_id().unwrap(), seen(1));
        assert_eq!(serde_json::to_value(folded.status()).unwrap(), status);
        row = Some(folded);
    }
    assert_eq!(row.unwrap().code.as_deref(), Some("payment_failed"));
}
