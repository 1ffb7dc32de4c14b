//! Nothing happened before what it follows from.

use domain::ids::OrderId;
use domain::orders::{ConfirmOrder, LineQuantity, RecordDelivered, RecordShipped};
use domain::shipping::{CreateShipment, ShipmentLine};
use domain::text::Quantity;
use serde_json::{Value, json};

use crate::support::{TestApp, asked, events};

const PLACED: &str = "2010-12-01T10:00:00Z";
const BEFORE: &str = "2010-12-01T09:59:59Z";
const SHIPPED: &str = "2010-12-02T10:00:00Z";
const REQUESTED: &str = "2010-12-09T10:00:00Z";

async fn run(app: &TestApp, id: &str, at: &str, command: impl Into<domain::command::Command>) {
    let mut request = asked(id, command);
    std::sync::Arc::make_mut(&mut request.metadata).occurred_at = at.parse().unwrap();
    app.service.processor().execute(request).await.unwrap();
}

/// Asks with a time that is too early, which changes nothing, and with one that is not.
async fn asks(app: &TestApp, path: &str, mut body: Value, early: &str, right: &str) -> Value {
    let before = events(&*app.log).await.len();
    body["occurred_at"] = early.into();
    let refused = app.post(path, path, &body).await;
    let problem = refused.is_problem(422, "time_before_cause");
    assert_eq!(problem["errors"][0]["pointer"], "/occurred_at");
    assert_eq!(events(&*app.log).await.len(), before, "{path}");
    body["occurred_at"] = right.into();
    let answer = app.post(path, path, &body).await;
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    answer.body
}

#[tokio::test]
async fn what_follows_from_an_order_did_not_happen_before_it() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let order = json!({ "order_id": "o", "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 2, "unit_price": 0 }],
        "shipping_address": { "country": "France" }, "occurred_at": PLACED });
    app.post("/orders", "place", order).await.is(201);
    asks(&app, "/orders/o/hold", json!({ "reason": "fraud?" }), BEFORE, PLACED).await;
    asks(&app, "/orders/o/release", json!({ "reason": "no fraud" }), BEFORE, PLACED).await;
    let order_id = || OrderId::parse("o").unwrap();
    run(&app, "confirm", PLACED, ConfirmOrder { order_id: order_id(), payment_id: None }).await;
    let (line, quantity) = (1, Quantity::new(2).unwrap());
    let shipment_id = || domain::ids::ShipmentId::nth(&order_id(), 1);
    let lines = vec![ShipmentLine { line, sku: "22423".parse().unwrap(), quantity }];
    let create = CreateShipment { shipment_id: shipment_id(), order_id: order_id(), lines };
    run(&app, "create", PLACED, create).await;
    let parcel = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
    asks(&app, "/shipments/o-s1/ship", parcel, BEFORE, SHIPPED).await;
    let lines = || vec![LineQuantity { line, quantity }];
    let (shipment, order) = (shipment_id(), order_id());
    let shipped = RecordShipped { order_id: order, shipment_id: shipment, lines: lines() };
    run(&app, "shipped", SHIPPED, shipped).await;
    asks(&app, "/shipments/o-s1/deliver", json!({}), PLACED, SHIPPED).await;
    let (shipment, order) = (shipment_id(), order_id());
    let arrived = RecordDelivered { order_id: order, shipment_id: shipment, lines: lines() };
    run(&app, "delivered", SHIPPED, arrived).await;
    let body = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    asks(&app, "/orders/o/returns", body, PLACED, REQUESTED).await;
    let receive = "/orders/o/returns/o-r1/receive";
    asks(&app, receive, json!({ "restock": true }), SHIPPED, REQUESTED).await;
    // Without a time it is now, whatever was said of what came before.
    app.post("/orders/o/cancel", "now", "").await.is_problem(422, "already_shipped");
}
