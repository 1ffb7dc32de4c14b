//! P2: a request that was carried out gets its stored answer for ever, also when the rules have become stricter since.

use command_service::RequestHasher;
use command_service::processor::Answer;
use domain::catalog::RegisterProduct;
use domain::customers::RegisterCustomer;
use domain::ids::{CustomerId, Sku};
use domain::money::{Currency, Money};
use domain::text::Label;
use serde_json::{Value, json};

use crate::support::{TestApp, asked, events};

/// As a version that had fewer rules carried it out: the fingerprint of a request has not changed since.
async fn carried_out_before(
    app: &TestApp,
    path: &str,
    body: &str,
    command: impl Into<domain::command::Command>,
    answer: fn() -> Value,
) {
    let mut request = asked("client/k", command);
    let parts = [b"POST".as_slice(), path.as_bytes(), b"", body.as_bytes()];
    request.request_hash = RequestHasher::new(b"test").hash(&parts);
    request.answer = match answer()["id"].as_str().unwrap() {
        "a/b" => |_, _| Answer { status: 201, body: r#"{"id":"a/b"}"#.to_owned() },
        _ => |_, _| Answer { status: 201, body: r#"{"id":"c1"}"#.to_owned() },
    };
    app.service.processor().execute(request).await.unwrap();
}

#[tokio::test]
async fn what_was_carried_out_under_older_rules_is_answered_the_same_and_not_carried_out_anew() {
    let app = TestApp::start().await;
    let stored = r#"{"sku":"a/b","name":"Odd","unit_price":{"amount":5,"currency":"GBP"},"stocked":true,"occurred_at":null}"#;
    let command = RegisterProduct {
        sku: Sku::parse("a/b").unwrap(),
        name: Label::parse("Odd").unwrap(),
        unit_price: Money::new(5, Currency::parse("GBP").unwrap()),
        stocked: true,
    };
    carried_out_before(&app, "/products", stored, command, || json!({ "id": "a/b" })).await;
    let body = |sku: &str, name: &str| json!({ "sku": sku, "name": name, "unit_price": { "amount": 5, "currency": "GBP" }, "stocked": true });
    let again = app.post("/products", "k", body("a/b", "Odd")).await;
    assert_eq!(again.is(201)["id"], "a/b");
    assert_eq!(again.header("idempotency-replayed"), "true");
    app.post("/products", "k", body("a/b", "Even")).await.is_problem(422, "idempotency_key_reused");
    app.post("/products", "new", body("a/b", "Odd")).await.is_problem(400, "invalid_body");
    assert_eq!(events(&*app.log).await.len(), 1);
}

#[tokio::test]
async fn a_repeat_of_a_customer_whose_mail_address_would_be_refused_today_is_answered() {
    let app = TestApp::start().await;
    let stored =
        r#"{"customer_id":"c1","name":null,"email":"by post","phone":null,"occurred_at":null}"#;
    let customer_id = CustomerId::parse("c1").unwrap();
    let command = RegisterCustomer { customer_id, name: None, email: None, phone: None };
    carried_out_before(&app, "/customers", stored, command, || json!({ "id": "c1" })).await;
    let body = json!({ "customer_id": "c1", "email": "by post" });
    assert_eq!(app.post("/customers", "k", &body).await.is(201)["id"], "c1");
    let refused = app.post("/customers", "new", &body).await;
    assert_eq!(refused.is_problem(400, "invalid_body")["errors"][0]["pointer"], "/email");
}

#[tokio::test]
async fn an_order_without_an_id_that_was_refused_is_placed_under_one_id_by_its_repeats() {
    let app = TestApp::start().await;
    let order = json!({ "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 1 }],
        "shipping_address": { "country": "France", "city": "Lyon" } });
    app.post("/orders", "k", &order).await.is_problem(422, "unknown_product");
    app.sell("22423", 5).await;
    let placed = app.post("/orders", "k", &order).await;
    let id = placed.is(201)["id"].as_str().unwrap();
    let again = app.post("/orders", "k", &order).await;
    assert_eq!(again.is(201)["id"], id);
    let other = app.post("/orders", "other", &order).await;
    assert_ne!(other.is(201)["id"], id);
}
