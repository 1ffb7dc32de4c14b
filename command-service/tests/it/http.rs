//! What is wrong with a request is said, with the right code, and nothing is stored.

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};
use service_kit::access::Access;

use crate::support::{TestApp, events};

fn order() -> Value {
    json!({ "order_id": "o1", "currency": "GBP", "lines": [{ "sku": "22423", "quantity": 2 }],
        "payment_method": "pm_ok", "shipping_address": { "country": "France" } })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut order = order();
    if let Some(there) = order.pointer_mut(pointer) {
        *there = value;
    } else {
        order[pointer.trim_start_matches('/')] = value;
    }
    order
}

#[tokio::test]
async fn a_body_that_is_wrong_is_pointed_at_and_nothing_is_stored() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let before = events(&*app.log).await.len();
    let wrong = [
        (with("/lines/0/quantity", json!(0)), "/lines/0/quantity"),
        (with("/lines/0/quantity", json!(-1)), "/lines/0/quantity"),
        (with("/lines/0/quantity", json!(1.5)), "/lines/0/quantity"),
        (with("/lines/0/quantity", json!(u64::MAX)), "/lines/0/quantity"),
        (with("/lines/0/quantity", json!("2")), "/lines/0/quantity"),
        (with("/currency", json!("gbp")), "/currency"),
        (with("/order_id", json!("")), "/order_id"),
        (with("/order_id", json!("x".repeat(65))), "/order_id"),
        (with("/shipping_address", json!({})), "/shipping_address/country"),
        (with("/shipping_address/country", json!("")), "/shipping_address/country"),
        (with("/shipping_address/country", json!("  ")), "/shipping_address/country"),
        (
            with("/lines/0", json!({ "sku": "22423", "quantity": 1, "unit_price": -1 })),
            "/lines/0/unit_price",
        ),
        (with("/lines", json!(null)), "/lines"),
        (with("/discount", json!(1)), "/discount"),
        (with("/occurred_at", json!("yesterday")), "/occurred_at"),
        (with("/occurred_at", json!("9999-01-01T00:00:00Z")), "/occurred_at"),
        (json!([order()]), ""),
        (with("/lines/0", json!(["22423", 1])), "/lines/0"),
        (with("/shipping_address", json!(["UK"])), "/shipping_address"),
        (
            with("/lines/0", json!({ "sku": "22423", "quantity": 1, "unit_price": [5, "GBP"] })),
            "/lines/0/unit_price",
        ),
    ];
    for (body, pointer) in wrong {
        let answer = app.post("/orders", "k", &body).await;
        let problem = answer.is_problem(400, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(events(&*app.log).await.len(), before);
    app.post("/orders", "k", order()).await.is(201);
}

#[tokio::test]
async fn an_array_is_no_body_and_changes_nothing() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let before = events(&*app.log).await.len();
    let price = json!({ "sku": "A", "name": "A", "unit_price": [5, "GBP"], "stocked": true });
    let wrong = [
        ("/stock/22423/receive", json!([5]), ""),
        ("/stock/22423/adjust", json!([-1, "lost"]), ""),
        ("/products", price, "/unit_price"),
        ("/products/22423/discontinue", json!([]), ""),
        ("/customers", json!(["c1"]), ""),
        (
            "/shipments/s/ship",
            json!({ "carrier": "x", "tracking": "y", "lines": [[1, 1]] }),
            "/lines/0",
        ),
    ];
    for (path, body, pointer) in wrong {
        let answer = app.post(path, "k", &body).await;
        let problem = answer.is_problem(400, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{path} {body}");
    }
    assert_eq!(events(&*app.log).await.len(), before);
}

#[tokio::test]
async fn a_parameter_that_is_not_known_is_named() {
    let app = TestApp::start().await;
    for path in ["/events?aftr=1", "/simulator/ledger?aftr=1"] {
        let answer = app.get(path).await;
        assert_eq!(answer.is_problem(400, "invalid_query")["errors"][0]["pointer"], "aftr");
    }
}

#[tokio::test]
async fn what_a_rule_refuses_is_422_and_what_is_not_there_is_404() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let line = |price: Value| json!([{ "sku": "22423", "quantity": 1, "unit_price": price }]);
    let refused = [
        (with("/lines/0/sku", json!("nothing")), "unknown_product"),
        (with("/lines", json!([])), "no_lines"),
        (with("/lines", line(json!({ "amount": 1, "currency": "EUR" }))), "mixed_currencies"),
        (
            with("/lines", json!(vec![json!({ "sku": "22423", "quantity": 1 }); 10_000])),
            "too_many_lines",
        ),
        (with("/customer_id", json!("nobody")), "unknown_customer"),
        (with("/lines", line(json!(10_000_000_000_001_i64))), "amount_overflow"),
        (
            with(
                "/lines/0",
                json!({ "sku": "22423", "quantity": 1_000_000_000, "unit_price": 10_001 }),
            ),
            "amount_overflow",
        ),
    ];
    for (body, code) in refused {
        app.post("/orders", "k", &body).await.is_problem(422, code);
    }
    app.post("/orders/nothing/cancel", "c", "").await.is_problem(404, "order_not_found");
    let why = json!({ "reason": "nobody wants it" });
    let gone = app.post("/products/nothing/discontinue", "d", why).await;
    gone.is_problem(404, "product_not_found");
    app.post("/shipments/nothing/deliver", "s", "").await.is_problem(404, "shipment_not_found");
    app.get("/orders/nothing/events").await.is_problem(404, "order_not_found");
}

#[tokio::test]
async fn what_happened_happened_at_most_a_day_from_now() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let receive = async |key: &str, hours: i64| {
        let time = service_kit::clock::system()() + TimeDelta::hours(hours);
        let body = json!({ "quantity": 1, "occurred_at": time.to_rfc3339() });
        app.post("/stock/22423/receive", key, body).await
    };
    receive("past", -240_000).await.is(200);
    receive("near", 24).await.is(200);
    let far = receive("far", 25).await;
    assert_eq!(far.is_problem(422, "time_in_future")["errors"][0]["pointer"], "/occurred_at");
}

#[tokio::test]
async fn what_is_no_request_at_all_is_refused_as_such() {
    let app = TestApp::start().await;
    app.post_with("/orders", &[], order()).await.is_problem(400, "idempotency_key_missing");
    app.post("/orders", "a b", order()).await.is_problem(400, "invalid_header");
    app.post("/orders", "k", "{").await.is_problem(400, "invalid_body");
    app.post("/orders", "k", "").await.is_problem(400, "invalid_body");
    let headers = [("idempotency-key", "k"), ("if-match", "7")];
    app.post_with("/orders", &headers, order()).await.is_problem(400, "invalid_header");
    let headers = [("idempotency-key", "k"), ("prefer", "wait=soon")];
    app.post_with("/orders", &headers, order()).await.is_problem(400, "invalid_header");
    let long = " ".repeat(10 * 1024 * 1024);
    app.post("/orders", "k", long).await.is_problem(413, "body_too_large");
    app.get("/orders/o1/cancel").await.is_problem(405, "method_not_allowed");
    app.get("/nothing").await.is_problem(404, "not_found");
    for query in ["limit=0", "limit=x", "limit=1001"] {
        app.get(&format!("/events?{query}")).await.is_problem(400, "invalid_limit");
    }
    app.get("/events?after=x").await.is_problem(400, "invalid_query");
    app.get("/events?after=").await.is_problem(400, "invalid_query");
    app.get("/events?cursor=%21").await.is_problem(400, "invalid_cursor");
    assert_eq!(events(&*app.log).await.len(), 0);
}

#[tokio::test]
async fn bytes_that_are_no_utf8_and_bodies_that_are_no_json_are_refused() {
    let app = TestApp::start().await;
    let request = |kind: &str, body: Vec<u8>| {
        let request = Request::post("/stock/1/receive").header("idempotency-key", "k");
        request.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let invalid = b"{\"quantity\": \"\xff\"}".to_vec();
    app.send(request("application/json", invalid)).await.is_problem(400, "invalid_body");
    let text = b"quantity=1".to_vec();
    app.send(request("text/plain", text)).await.is_problem(415, "unsupported_media_type");
    for (kind, is_utf8) in [
        ("application/json; charset=utf-16", false),
        ("application/json;charset=\"ISO-8859-1\"", false),
        ("application/json; charset=UTF-8", true),
        ("application/json; profile=x; Charset=\"utf-8\"", true),
    ] {
        let answer = app.send(request(kind, b"{}".to_vec())).await;
        if is_utf8 {
            answer.is_problem(400, "invalid_body");
        } else {
            answer.is_problem(415, "unsupported_media_type");
        }
    }
    let path = Request::post("/stock/%ff/receive").header("idempotency-key", "k");
    let path = path.header("content-type", "application/json").body(Body::from("{}")).unwrap();
    let answer = app.send(path).await;
    assert_eq!(answer.is_problem(400, "invalid_path")["errors"][0]["pointer"], "sku");
    let long = format!("/stock/{}/receive", "x".repeat(65));
    let answer = app.post(&long, "k", json!({ "quantity": 1 })).await;
    assert_eq!(answer.is_problem(400, "invalid_path")["errors"][0]["pointer"], "sku");
}

#[tokio::test]
async fn a_contact_that_changes_nothing_is_refused_and_told_what_to_give() {
    let app = TestApp::start().await;
    app.post("/customers", "c", json!({ "customer_id": "c1" })).await.is(201);
    let nulls = json!({ "name": null, "email": null, "phone": null });
    let when = json!({ "occurred_at": "2010-12-01T12:00:00Z" });
    for (key, body) in [("a", json!({})), ("b", nulls), ("d", when)] {
        let answer = app.post("/customers/c1/contact", key, body).await;
        let problem = answer.is_problem(400, "invalid_body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("at least one of `name`, `email` and `phone`"), "{detail}");
    }
    app.post("/customers/c1/contact", "e", json!({ "phone": "123" })).await.is(200);
}

#[tokio::test]
async fn a_version_that_is_not_the_current_one_is_412_and_names_the_current_one() {
    let app = TestApp::start().await;
    app.sell("22423", 10).await;
    let expecting = |key: &'static str, version: &'static str| {
        let headers = [("idempotency-key", key), ("if-match", version)];
        let app = &app;
        async move { app.post_with("/stock/22423/receive", &headers, json!({ "quantity": 1 })).await }
    };
    let mismatch = expecting("a", "\"7\"").await;
    assert_eq!(mismatch.is_problem(412, "version_mismatch")["current_version"], 1);
    let changed = expecting("b", "\"1\"").await;
    assert_eq!(changed.is(200)["version"], 2);
    assert_eq!(changed.header("etag"), "\"2\"");
}

#[tokio::test]
async fn whoever_sends_free_text_is_told_that_no_erasure_reaches_it() {
    let app = TestApp::start().await;
    let (_, description) = app.service.router(&Access::open()).split_for_parts();
    let api = serde_json::to_value(description).unwrap();
    let schemas = api["components"]["schemas"].as_object().unwrap();
    let mut told = 0;
    for (body, schema) in schemas.iter().filter(|(name, _)| name.ends_with("Body")) {
        for text in ["reason", "reference", "tracking"] {
            let Some(field) = schema["properties"].get(text) else { continue };
            // What may be left out is one of nothing and of what has the words.
            let mut either = field["oneOf"].as_array().into_iter().flatten();
            let field = either.find(|one| one["type"] != "null").unwrap_or(field);
            let words = field["description"].as_str().unwrap_or_default();
            assert!(words.contains("kept when a person is erased"), "{body}.{text}: {field}");
            let named = field["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            let bounds = named.map_or(field, |name| &schemas[name]);
            assert!(bounds["maxLength"].is_u64(), "{body}.{text}: {field}");
            told += 1;
        }
    }
    assert!(told >= 5, "only {told}");
}

#[tokio::test]
async fn the_description_has_every_endpoint() {
    let app = TestApp::start().await;
    let (_, description) = app.service.router(&Access::open()).split_for_parts();
    let paths: Vec<&str> = description.paths.paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/customers",
            "/customers/{id}/block",
            "/customers/{id}/contact",
            "/customers/{id}/erase",
            "/dead-letters",
            "/dead-letters/{id}",
            "/dead-letters/{id}/replay",
            "/events",
            "/orders",
            "/orders/{id}/cancel",
            "/orders/{id}/erase",
            "/orders/{id}/events",
            "/orders/{id}/hold",
            "/orders/{id}/lines",
            "/orders/{id}/lines/cancel",
            "/orders/{id}/lines/{line}/quantity",
            "/orders/{id}/lines/{line}/remove",
            "/orders/{id}/place",
            "/orders/{id}/release",
            "/orders/{id}/returns",
            "/orders/{id}/returns/{return}/receive",
            "/products",
            "/products/{sku}/discontinue",
            "/products/{sku}/name",
            "/products/{sku}/price",
            "/shipments/{id}/deliver",
            "/shipments/{id}/ship",
            "/simulator/ledger",
            "/stock/{sku}/adjust",
            "/stock/{sku}/receive",
        ]
    );
}
