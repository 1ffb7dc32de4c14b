//! Every payment method of the simulated provider ends as the domain's table says.

use serde_json::Value;

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
    platform.sell("voucher", 100).await;
    platform.place(&order("r1", "voucher", "pm_refund_fails")).await;
    platform.deliver("r1").await;
    platform.until("/v1/orders/r1", |order| order["status"] == "completed").await;
    let lines = serde_json::json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let asked = platform.post("/v1/orders/r1/returns", "return", &lines).await.ok();
    let return_id = asked["return_id"].as_str().unwrap();
    let path = format!("/v1/orders/r1/returns/{return_id}/receive");
    platform.post(&path, "receive", &serde_json::json!({ "restock": true })).await.ok();
    let stuck = |saga: &Value| saga["state"] == "needs_attention";
    platform.until(&format!("/v1/sagas/return-{return_id}"), stuck).await;
    let order = platform.get("/v1/orders/r1").await.ok();
    assert_eq!((&order["status"], &order["payment"]["refunded"]), (&"completed".into(), &0.into()));
    let path = format!("/v1/sagas/return-{return_id}/resolve");
    let reason = serde_json::json!({ "reason": "paid back by hand" });
    platform.post(&path, "resolve", &reason).await.ok();
    platform.until(&format!("/v1/sagas/return-{return_id}"), |saga| !stuck(saga)).await;
}

#[tokio::test]
async fn a_refund_that_fails_leaves_the_order_and_calls_a_person() {
    a_failed_refund_calls_a_person(&Platform::fresh().await).await;
}
