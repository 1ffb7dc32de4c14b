//! Every payment method of the simulated provider ends as the domain's table says.

use serde_json::{Value, json};

use crate::platform::{Data, Platform};
use crate::shop::order;

/// Method, the order's end, its reason, its saga's end, and the provider's ledger: held, taken.
pub(crate) const METHODS: [(&str, &str, &str, &str, i64, i64); 8] = [
    ("pm_ok", "completed", "", "completed", 2550, 2550),
    ("pm_slow", "completed", "", "completed", 2550, 2550),
    ("pm_capture_fails_twice", "completed", "", "completed", 2550, 2550),
    ("pm_timeout_then_ok", "completed", "", "completed", 2550, 2550),
    ("pm_declined", "rejected", "declined", "compensated", 0, 0),
    ("pm_insufficient_funds", "rejected", "insufficient_funds", "compensated", 0, 0),
    ("pm_timeout_then_nothing", "rejected", "payment_failed", "compensated", 0, 0),
    ("pm_capture_refused", "fulfilling", "", "needs_attention", 2550, 0),
];

/// Places an order of every method and sees it to its end; it sells what it needs.
pub(crate) async fn sagas_end_as_the_method_says(platform: &Platform) {
    platform.sell("voucher", 100).await;
    let orders = METHODS.map(|(method, end, ..)| async move {
        let placed = platform.place(&order(method, "voucher", method)).await;
        let status = placed["status"].as_str().unwrap().to_owned();
        if end == "rejected" {
            assert_eq!(status, "rejected", "{placed}");
        } else {
            assert_eq!(status, "confirmed", "{placed}");
            platform.deliver(method).await;
        }
    });
    futures::future::join_all(orders).await;
    for (method, end, reason, saga, held, taken) in METHODS {
        let there = |order: &Value| order["status"] == end && order["sagas"][0]["state"] == saga;
        let order = platform.until(&format!("/v1/orders/{method}"), there).await;
        assert_eq!(order["reason"].as_str().unwrap_or_default(), reason, "{method}: {order:#}");
        let path = format!("/v1/simulator/ledger?payment_id={method}-p1");
        let ledger = platform.get(&path).await.ok();
        let sum = |operation: &str| -> i64 {
            let entries = ledger["items"].as_array().unwrap().iter();
            let done = entries
                .filter(|entry| entry["operation"] == operation && entry["status"] == "done");
            done.map(|entry| entry["amount"].as_i64().unwrap()).sum()
        };
        assert_eq!((sum("authorize"), sum("capture")), (held, taken), "{method}: {ledger:#}");
    }
    let explained = platform.get("/v1/sagas/order-pm_capture_refused/explain").await.ok();
    assert!(explained["actions"].as_array().unwrap().iter().any(|action| action == "retry"));
    platform.settle().await;
}

#[tokio::test]
async fn p6_sagas_end_as_the_payment_method_says() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    sagas_end_as_the_method_says(&platform).await;
    platform.terminate().await;
    data.verify().await;
}

/// Takes a return whose refund fails; it sells what it needs.
pub(crate) async fn a_failed_refund_calls_a_person(platform: &Platform) {
    platform.sell("saucer", 100).await;
    platform.place(&order("r1", "saucer", "pm_refund_fails")).await;
    platform.deliver("r1").await;
    platform.until("/v1/orders/r1", |order| order["status"] == "completed").await;
    let lines = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let asked = platform.post("/v1/orders/r1/returns", "return", &lines).await.ok();
    let return_id = asked["return_id"].as_str().unwrap();
    let path = format!("/v1/orders/r1/returns/{return_id}/receive");
    platform.post(&path, "receive", &json!({ "restock": true })).await.ok();
    let stuck = |saga: &Value| saga["state"] == "needs_attention";
    platform.until(&format!("/v1/sagas/return-{return_id}"), stuck).await;
    let order = platform.get("/v1/orders/r1").await.ok();
    assert_eq!((&order["status"], &order["payment"]["refunded"]), (&"completed".into(), &0.into()));
    let path = format!("/v1/sagas/return-{return_id}/resolve");
    let reason = json!({ "reason": "paid back by hand" });
    platform.post(&path, "resolve", &reason).await.ok();
    let done = |saga: &Value| saga["state"] == "completed";
    platform.until(&format!("/v1/sagas/return-{return_id}"), done).await;
    let by_hand = |order: &Value| order["payment"]["refunded_by_hand"] == 1275;
    let order = platform.until("/v1/orders/r1", by_hand).await;
    assert_eq!(order["payment"]["refunded"], 0, "{order:#}");
    platform.until("/v1/stock/saucer", |stock| stock["available"] == 99).await;
}

/// Sees an order to its end whose capture was refused after it had left, and a return of it; it sells what it needs.
pub(crate) async fn a_refused_capture_is_settled_by_hand(platform: &Platform) {
    platform.sell("teacup", 100).await;
    platform.place(&order("h1", "teacup", "pm_capture_refused")).await;
    platform.deliver("h1").await;
    let stuck = |saga: &Value| saga["state"] == "needs_attention";
    platform.until("/v1/sagas/order-h1", stuck).await;
    let told = platform.get("/v1/sagas/order-h1/explain").await.ok();
    assert_eq!(told["actions"], json!(["retry", "resolve"]));

    let path = "/v1/sagas/order-h1/resolve";
    let paid = json!({ "reason": "paid by bank transfer" });
    let answer = platform.post(path, "h1/paid", &paid).await.ok();
    assert_eq!(answer["state"], "running", "it goes on: {answer:#}");
    let again = platform.post(path, "h1/paid", &paid).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let order = platform.until("/v1/orders/h1", |order| order["status"] == "completed").await;
    let payment = &order["payment"];
    assert_eq!(payment["status"], "settled_by_hand", "{order:#}");
    assert_eq!((&payment["captured"], &payment["settled_by_hand"]), (&json!(0), &json!(2550)));
    let done = |saga: &Value| saga["state"] == "completed";
    platform.until("/v1/sagas/order-h1", done).await;
    let told = platform.get("/v1/sagas/order-h1/explain").await.ok();
    assert_eq!(told["resolved"], "paid by bank transfer");
    let ledger = platform.get("/v1/simulator/ledger?payment_id=h1-p1").await.ok();
    let entries = ledger["items"].as_array().unwrap().iter();
    let done_there = entries.filter(|entry| entry["status"] == "done");
    let done_there: Vec<&Value> = done_there.map(|entry| &entry["operation"]).collect();
    assert_eq!(done_there, ["authorize", "void"], "nothing was taken, nothing is held: {ledger:#}");
    let late = platform.post(path, "h1/again", &paid).await;
    assert_eq!(late.problem(), (422, "saga_not_in_attention"));

    let lines = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    platform.post("/v1/orders/h1/returns", "h1/return", &lines).await.ok();
    let received = json!({ "restock": true });
    platform.post("/v1/orders/h1/returns/h1-r1/receive", "h1/receive", &received).await.ok();
    platform.until("/v1/sagas/return-h1-r1", stuck).await;
    let told = platform.get("/v1/sagas/return-h1-r1/explain").await.ok();
    assert_eq!(told["last_error"], "settled_by_hand", "a person says how it is paid back");
    let waived = json!({ "reason": "the transfer was called back", "settlement": "waived" });
    platform.post("/v1/sagas/return-h1-r1/resolve", "h1/waived", &waived).await.ok();
    platform.until("/v1/sagas/return-h1-r1", done).await;
    platform.until("/v1/stock/teacup", |stock| stock["available"] == 99).await;
    platform.settle().await;
}

#[tokio::test]
async fn p6_sagas_end_what_the_provider_refuses_and_a_person_settles_ends_too() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    a_refused_capture_is_settled_by_hand(&platform).await;
    platform.terminate().await;
    data.verify().await;
}

#[tokio::test]
async fn a_refund_that_fails_leaves_the_order_and_calls_a_person() {
    a_failed_refund_calls_a_person(&Platform::fresh().await).await;
}
