//! Bad input gets a clear problem, and changes nothing.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::shop::{order, why};

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut order = order("bad", "teapot", "pm_ok");
    change(&mut order);
    order.to_string()
}

/// Bodies of `POST /v1/orders` and what they are answered with.
fn orders() -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let lines = |n: usize| vec![json!({ "sku": "teapot", "quantity": 1 }); n];
    // More than any socket's buffers hold: the client is still writing when the server knows its answer.
    let big = format!("{{\"reference\":\"{}\"}}", "x".repeat(40_000_000));
    let text: Vec<(&str, String, u16, &str)> = vec![
        ("malformed JSON", "{\"lines\":[".into(), 400, "invalid_body"),
        ("no JSON at all", "order, please".into(), 400, "invalid_body"),
        ("an empty body", String::new(), 400, "invalid_body"),
        ("a wrong type", with(|o| o["lines"] = json!("two")), 400, "invalid_body"),
        ("an unknown field", with(|o| o["colour"] = json!("red")), 400, "invalid_body"),
        ("quantity 0", with(|o| o["lines"][0]["quantity"] = json!(0)), 400, "invalid_body"),
        ("quantity -1", with(|o| o["lines"][0]["quantity"] = json!(-1)), 400, "invalid_body"),
        ("quantity 1.5", with(|o| o["lines"][0]["quantity"] = json!(1.5)), 400, "invalid_body"),
        (
            "quantity 2^40",
            with(|o| o["lines"][0]["quantity"] = json!(1_u64 << 40)),
            400,
            "invalid_body",
        ),
        ("no such currency", with(|o| o["currency"] = json!("QQQ")), 400, "invalid_body"),
        ("an empty id", with(|o| o["order_id"] = json!("")), 400, "invalid_body"),
        ("an id of 65", with(|o| o["order_id"] = json!("x".repeat(65))), 400, "invalid_body"),
        (
            "a country of 61",
            with(|o| o["shipping_address"]["country"] = json!("x".repeat(61))),
            400,
            "invalid_body",
        ),
        ("40 MB", big, 413, "body_too_large"),
        ("unknown SKU", with(|o| o["lines"][0]["sku"] = json!("nope")), 422, "unknown_product"),
        ("unknown customer", with(|o| o["customer_id"] = json!("nobody")), 422, "unknown_customer"),
        ("mixed currencies", with(|o| o["currency"] = json!("EUR")), 422, "mixed_currencies"),
        (
            "a price in another currency",
            with(|o| o["lines"][0]["unit_price"] = json!({ "amount": 1, "currency": "EUR" })),
            422,
            "mixed_currencies",
        ),
        ("no lines", with(|o| o["lines"] = json!([])), 422, "no_lines"),
        ("10,000 lines", with(|o| o["lines"] = json!(lines(10_000))), 422, "too_many_lines"),
        (
            "an overflowing total",
            with(|o| {
                o["lines"] = json!([{ "sku": "teapot", "quantity": 1_000_000_000, "unit_price": { "amount": i64::MAX, "currency": "GBP" } }]);
            }),
            422,
            "amount_overflow",
        ),
    ];
    let mut cases: Vec<_> = text
        .into_iter()
        .map(|(what, body, status, code)| (what, body.into_bytes(), status, code))
        .collect();
    cases.push(("invalid UTF-8", b"{\"reference\":\"\xff\"}".to_vec(), 400, "invalid_body"));
    cases
}

/// Bad orders are refused and change nothing; it sells what it needs.
pub(crate) async fn bad_orders_change_nothing(platform: &Platform) {
    platform.sell("teapot", 10).await;
    let before = platform.get("/v1/events?after=0&limit=1000").await.ok();
    for (what, body, status, code) in orders() {
        let key = [("idempotency-key", "bad")];
        let answer = platform.post_with("/v1/orders", &key, body).await;
        assert_eq!(answer.problem(), (status, code), "{what}: {}", answer.body);
    }
    let after = platform.get("/v1/events?after=0&limit=1000").await.ok();
    assert_eq!(before, after, "nothing is stored");
    let placed = platform.place(&order("good", "teapot", "pm_ok")).await;
    assert_eq!(placed["status"], "confirmed", "the service is alive");
}

#[tokio::test]
async fn a_bad_order_is_refused_and_changes_nothing() {
    bad_orders_change_nothing(&Platform::fresh().await).await;
}

/// Headers, paths and queries are checked; it sells what it needs.
pub(crate) async fn odd_requests_are_refused(platform: &Platform) {
    platform.sell("teapot", 10).await;
    let body = r#"{"quantity":1}"#;
    let path = "/v1/stock/teapot/receive";
    let no_key = platform.post_with(path, &[], body).await;
    assert_eq!(no_key.problem(), (400, "idempotency_key_missing"));
    let stale =
        platform.post_with(path, &[("idempotency-key", "v"), ("if-match", "\"7\"")], body).await;
    assert_eq!(stale.problem(), (412, "version_mismatch"));
    let odd =
        platform.post_with(path, &[("idempotency-key", "v"), ("if-match", "seven")], body).await;
    assert_eq!(odd.problem(), (400, "invalid_header"));
    let elsewhere = platform.post("/v1/stock/nope/receive", "n", &json!({ "quantity": 1 })).await;
    assert_eq!(elsewhere.problem(), (404, "product_not_found"));
    for (path, status, code) in [
        ("/v1/orders?limit=0", 400, "invalid_limit"),
        ("/v1/orders?limit=1001", 400, "invalid_limit"),
        ("/v1/orders?cursor=zzz", 400, "invalid_cursor"),
        ("/v1/orders?status=lost", 400, "invalid_query"),
        ("/v1/orders?sku=%ff", 400, "invalid_query"),
        ("/v1/orders/nope", 404, "order_not_found"),
        ("/v1/sagas/nope", 404, "saga_not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/v1/products/teapot/price", 405, "method_not_allowed"),
    ] {
        let answer = platform.get(path).await;
        assert_eq!(answer.problem(), (status, code), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn headers_paths_and_queries_are_checked() {
    odd_requests_are_refused(&Platform::fresh().await).await;
}

/// What has ended does not go on; it sells what it needs.
pub(crate) async fn ended_orders_stay(platform: &Platform) {
    platform.sell("teapot", 10).await;
    platform.place(&order("o", "teapot", "pm_ok")).await;
    platform.deliver("o").await;
    platform.until("/v1/orders/o", |order| order["status"] == "completed").await;
    let line = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    for (path, body, code) in [
        ("/v1/orders/o/place", json!({}), "wrong_state"),
        ("/v1/orders/o/hold", why("fraud?"), "wrong_state"),
        ("/v1/orders/o/lines/cancel", line, "already_shipped"),
        (
            "/v1/orders/o/returns",
            json!({ "lines": [{ "line": 1, "quantity": 3 }] }),
            "not_delivered",
        ),
    ] {
        let answer = platform.post(path, path, &body).await;
        let (status, found) = answer.problem();
        assert_eq!(status, 422, "{path}: {}", answer.body);
        assert!(
            found == code || found == "wrong_state" || found == "quantity_exceeded",
            "{path}: {found}"
        );
    }
}

#[tokio::test]
async fn impossible_transitions_are_refused() {
    ended_orders_stay(&Platform::fresh().await).await;
}
