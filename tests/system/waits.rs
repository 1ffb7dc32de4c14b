//! `Prefer: wait` on what a saga carries out after it was asked for: cancellations and refunds.

use serde_json::{Value, json};

use crate::platform::{Answer, Platform};
use crate::shop::order;

impl Platform {
    async fn post_and_wait(&self, path: &str, body: &Value) -> Answer {
        let headers = [("idempotency-key", path), ("prefer", "wait=30")];
        self.post_with(path, &headers, body.to_string()).await
    }

    /// A completed order of this method, all of which was asked to be sent back.
    async fn returned(&self, method: &str) -> String {
        self.place(&order(method, "mug", method)).await;
        self.deliver(method).await;
        self.until(&format!("/v1/orders/{method}"), |order| order["status"] == "completed").await;
        let path = format!("/v1/orders/{method}/returns");
        let body = json!({ "lines": [{ "line": 1, "quantity": 2 }] });
        let requested = self.post(&path, &path, &body).await.ok();
        format!("{path}/{}/receive", requested["return_id"].as_str().unwrap())
    }
}

#[tokio::test]
async fn who_waits_for_a_cancellation_or_a_refund_hears_what_came_of_it() {
    let platform = Platform::fresh().await;
    platform.sell("mug", 50).await;
    platform.place(&order("c", "mug", "pm_ok")).await;
    let cancelled = platform.post_and_wait("/v1/orders/c/cancel", &json!({})).await.ok();
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let seen = format!("/v1/orders/c?min_position={}", cancelled["position"]);
    assert_eq!(platform.get(&seen).await.ok()["status"], "cancelled");
    let receive = platform.returned("pm_ok").await;
    let received = platform.post_and_wait(&receive, &json!({ "restock": true })).await.ok();
    assert_eq!(received["status"], "refunded", "{received}");
    let seen = format!("/v1/orders/pm_ok?min_position={}", received["position"]);
    assert_eq!(platform.get(&seen).await.ok()["payment"]["refunded"], 2550);
    let receive = platform.returned("pm_refund_fails").await;
    let received = platform.post_and_wait(&receive, &json!({ "restock": true })).await.ok();
    assert_eq!(received["status"], "refund_failed", "{received}");
    assert_eq!(received["reason"], "refund_failed", "{received}");
    platform.terminate().await;
}
