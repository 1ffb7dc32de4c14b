//! Orders over HTTP.

use std::time::Duration;

use domain::command::Command;
use domain::ids::OrderId;
use domain::orders::RejectOrder;
use domain::text::Reason;
use serde_json::{Value, json};

use crate::support::{TestApp, asked, events, types, until};

fn order(id: Option<&str>) -> Value {
    json!({ "order_id": id, "currency": "GBP", "lines": [{ "sku": "22423", "quantity": 2 }],
        "payment_method": "pm_ok", "shipping_address": { "country": "France", "city": "Lyon" } })
}

#[tokio::test]
async fn a_placed_order_is_answered_with_version_and_position_and_again_the_same() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let first = app.post("/orders", "k", order(None)).await;
    let body = first.is(201);
    assert_eq!((&body["status"], &body["version"]), (&json!("placed"), &json!(1)));
    assert_eq!(body["position"], events(&*app.log).await.len());
    assert_eq!(first.header("etag"), "\"1\"");
    assert!(first.header("docket-position").ends_with("-1-3"), "{first:?}");
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = app.post("/orders", "k", order(None)).await;
    assert_eq!(again.is(201), body);
    assert_eq!(again.header("idempotency-replayed"), "true");
    app.post("/orders", "k", order(Some("other"))).await.is_problem(422, "idempotency_key_reused");
    app.post("/orders/o/place", "k", "").await.is_problem(422, "idempotency_key_reused");
    assert_eq!(events(&*app.log).await.len(), 3);
}

#[tokio::test]
async fn a_placing_that_waits_is_answered_as_placed_when_the_platform_stops() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let headers = [("idempotency-key", "k"), ("prefer", "wait=30")];
    let stop = async {
        until(&*app.log, "order-o", "OrderPlaced").await;
        app.service.end_waits();
    };
    let order = order(Some("o"));
    let both = async { tokio::join!(app.post_with("/orders", &headers, order), stop) };
    let (answered, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert_eq!(answered.is(201)["status"], "placed");
}

#[tokio::test]
async fn an_answer_is_the_same_after_a_restart() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let first = app.post("/orders", "k", order(None)).await;
    let app = app.restart().await;
    let again = app.post("/orders", "k", order(None)).await;
    assert_eq!(again.is(201), first.is(201));
}

#[tokio::test]
async fn a_line_takes_a_bare_price_or_one_with_the_orders_currency() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    for (id, price) in [("a", json!(999)), ("b", json!({ "amount": 999, "currency": "GBP" }))] {
        let mut order = order(Some(id));
        order["lines"][0]["unit_price"] = price;
        app.post("/orders", id, order).await.is(201);
        let history = app.get(&format!("/orders/{id}/events")).await;
        let placed = &history.is(200)["items"][0];
        assert_eq!(placed["type"], "OrderPlaced");
        assert_eq!(placed["data"]["total"], 1998);
        assert_eq!(placed["command_id"], format!("client/{id}"));
    }
}

#[tokio::test]
async fn a_draft_is_filled_and_placed() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let mut draft = order(Some("d"));
    draft["draft"] = json!(true);
    assert_eq!(app.post("/orders", "k1", draft).await.is(201)["status"], "draft");
    let line = json!({ "sku": "22423", "quantity": 1, "unit_price": 5 });
    let added = app.post("/orders/d/lines", "k2", &line).await;
    assert_eq!(added.is(201)["line"], 2);
    app.post("/orders/nothing/lines", "k3", &line).await.is_problem(404, "order_not_found");
    app.post("/orders/d/lines/2/quantity", "k4", json!({ "quantity": 3 })).await.is(200);
    app.post("/orders/d/lines/1/remove", "k5", "").await.is(200);
    app.post("/orders/d/lines/7/remove", "k6", "").await.is_problem(404, "line_not_found");
    assert_eq!(app.post("/orders/d/place", "k7", "").await.is(200)["status"], "placed");
    let types = types(&*app.log, "order-d").await;
    assert_eq!(types.last().map(String::as_str), Some("OrderPlaced"));
}

#[tokio::test]
async fn who_prefers_to_wait_hears_the_decision_and_its_reason() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let headers = [("idempotency-key", "k"), ("prefer", "wait=30")];
    let waiting = app.post_with("/orders", &headers, order(Some("o")));
    let deciding = async {
        crate::support::until(&*app.log, "order-o", "OrderPlaced").await;
        let order_id = OrderId::parse("o").unwrap();
        let reason = Reason::parse("out_of_stock").unwrap();
        let reject = RejectOrder { order_id: order_id.clone(), reason };
        run(&app, "reject", reject).await;
        run(&app, "finish", domain::orders::FinishRejection { order_id }).await;
    };
    let (answer, ()) = tokio::join!(waiting, deciding);
    let body = answer.is(201);
    assert_eq!((&body["status"], &body["reason"]), (&json!("rejected"), &json!("out_of_stock")));
    assert_eq!(body["version"], 3);
    let again = app.post_with("/orders", &headers, order(Some("o"))).await;
    assert_eq!(again.is(201)["status"], "rejected");
}

#[tokio::test]
async fn a_wait_that_is_over_answers_as_placed() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let headers = [("idempotency-key", "k"), ("prefer", "wait=0")];
    let answer = app.post_with("/orders", &headers, order(None)).await;
    assert_eq!(answer.is(201)["status"], "placed");
}

#[tokio::test]
async fn the_log_is_read_in_pages() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    app.post("/orders", "k", order(Some("o"))).await.is(201);
    let first = app.get("/events?limit=2").await;
    let next = first.is(200)["next"].as_str().unwrap();
    let second = app.get(&format!("/events?limit=2&cursor={next}")).await;
    assert_eq!(second.is(200)["items"][0]["position"], 3);
    assert_eq!(second.is(200)["next"], Value::Null);
    assert!(second.header("docket-position").ends_with("-1-3"));
    let after = app.get("/events?after=2").await;
    assert_eq!(after.is(200)["items"][0]["stream"], "order-o");
}

async fn run(app: &TestApp, id: &str, command: impl Into<Command>) {
    app.service.processor().execute(asked(id, command)).await.unwrap();
}
