//! `Prefer: wait` on what ends later than it is asked for: cancellations.

use domain::command::Command;
use domain::ids::{CancellationId, OrderId};
use domain::orders::{ConfirmOrder, DeclineCancellation, FinishCancellation, SettleCancellation};
use domain::text::Reason;
use serde_json::{Value, json};

use crate::support::{Answered, TestApp, asked, until};

const WAITS: [(&str, &str); 2] = [("idempotency-key", "k"), ("prefer", "wait=30")];

/// A placed order of two units that cost nothing, so that no payment is needed.
async fn placed(app: &TestApp) {
    app.sell("22423", 10).await;
    let order = json!({ "order_id": "o", "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 2, "unit_price": 0 }],
        "shipping_address": { "country": "France" } });
    app.post("/orders", "place", order).await.is(201);
}

async fn confirmed(app: &TestApp) {
    placed(app).await;
    run(app, "confirm", ConfirmOrder { order_id: order_id(), payment_id: None }).await;
}

fn order_id() -> OrderId {
    OrderId::parse("o").unwrap()
}

async fn run(app: &TestApp, id: &str, command: impl Into<Command>) {
    app.service.processor().execute(asked(id, command)).await.unwrap();
}

/// Asks and waits, while the saga's command comes as soon as it may.
async fn asks(app: &TestApp, path: &str, body: Value, saga: impl Into<Command>) -> Answered {
    let deciding = async {
        until(&*app.log, "order-o", "CancellationRequested").await;
        run(app, "saga", saga).await;
    };
    tokio::join!(app.post_with(path, &WAITS, body), deciding).0
}

#[tokio::test]
async fn who_waits_for_a_cancellation_hears_that_the_order_is_cancelled_and_again_the_same() {
    let app = TestApp::start().await;
    confirmed(&app).await;
    let (order_id, cancellation_id) = (order_id(), CancellationId::nth(&order_id(), 1));
    let settle = SettleCancellation { order_id, cancellation_id };
    let body = json!({ "reason": "too late" });
    let answer = asks(&app, "/orders/o/cancel", body.clone(), settle).await;
    let said = answer.is(200);
    assert_eq!((&said["status"], &said["reason"]), (&json!("cancelled"), &json!("too late")));
    assert_eq!(said["cancellation_id"], "o-c1");
    assert_eq!((&said["version"], answer.header("etag")), (&json!(5), "\"5\""));
    assert_eq!(answer.header("preference-applied"), "wait=30");
    let again = app.post_with("/orders/o/cancel", &WAITS, body).await;
    assert_eq!(again.is(200), said);
}

#[tokio::test]
async fn who_waits_for_a_cancellation_that_comes_too_late_hears_why() {
    let app = TestApp::start().await;
    confirmed(&app).await;
    let (order_id, cancellation_id) = (order_id(), CancellationId::nth(&order_id(), 1));
    let reason = Reason::parse("already_shipped").unwrap();
    let decline = DeclineCancellation { order_id, cancellation_id, reason };
    let body = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let answer = asks(&app, "/orders/o/lines/cancel", body, decline).await;
    let said = answer.is(200);
    assert_eq!((&said["status"], &said["reason"]), (&json!("declined"), &json!("already_shipped")));
}

#[tokio::test]
async fn who_waits_for_a_part_of_an_order_to_be_cancelled_hears_of_that_part() {
    let app = TestApp::start().await;
    confirmed(&app).await;
    let (order_id, cancellation_id) = (order_id(), CancellationId::nth(&order_id(), 1));
    let settle = SettleCancellation { order_id, cancellation_id };
    let body = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let answer = asks(&app, "/orders/o/lines/cancel", body, settle).await;
    let said = answer.is(200);
    assert_eq!((&said["status"], &said["version"]), (&json!("cancelled"), &json!(4)));
}

#[tokio::test]
async fn who_cancels_before_an_order_is_confirmed_waits_until_all_is_undone() {
    let app = TestApp::start().await;
    placed(&app).await;
    let finish = FinishCancellation { order_id: order_id() };
    let answer = asks(&app, "/orders/o/cancel", json!({}), finish).await;
    assert_eq!(answer.is(200)["status"], "cancelled");
}

#[tokio::test]
async fn a_cancellation_that_nobody_waits_for_or_not_long_enough_is_answered_without_its_end() {
    let app = TestApp::start().await;
    confirmed(&app).await;
    let path = "/orders/o/lines/cancel";
    let body = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let at_once = app.post(path, "k", &body).await;
    assert_eq!(at_once.is(200)["status"], Value::Null);
    let short = [("idempotency-key", "k"), ("prefer", "wait=0")];
    let waited = app.post_with(path, &short, &body).await;
    assert_eq!(waited.is(200), at_once.is(200));
    assert_eq!(waited.header("preference-applied"), "wait=0");
}
