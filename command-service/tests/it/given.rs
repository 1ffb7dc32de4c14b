//! What a client gives is held to today's rules, and told whole when it breaks them.

use serde_json::{Value, json};

use crate::support::{TestApp, events};

fn product(sku: &str, name: &str) -> Value {
    json!({ "sku": sku, "name": name, "unit_price": { "amount": 5, "currency": "GBP" }, "stocked": true })
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_mistake_of_a_body_is_named_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let body = json!({
        "order_id": "a/b", "currency": "pounds", "colour": "red", "shipping_address": { "country": "" },
        "lines": [{ "sku": "A", "quantity": 0 }, { "quantity": 1, "unit_price": { "amount": -5 } }],
    });
    let answer = app.post("/orders", "k", body).await;
    let problem = answer.is_problem(400, "invalid_body");
    let mut named = pointers(problem);
    named.sort_unstable();
    let wrong = [
        "/colour",
        "/currency",
        "/lines/0/quantity",
        "/lines/1/sku",
        "/lines/1/unit_price/amount",
        "/lines/1/unit_price/currency",
        "/order_id",
        "/payment_method",
        "/shipping_address/country",
    ];
    assert_eq!(named, wrong);
    assert_eq!(problem["detail"], "there are 9 mistakes; `errors` names them");
    assert_eq!(events(&*app.log).await.len(), 0);
}

#[tokio::test]
async fn an_id_that_no_path_can_name_is_not_taken_for_something_new() {
    let app = TestApp::start().await;
    for odd in ["..", ".", "a/b", " a", "a ", "a\u{200b}", "a\tb", "a\u{a0}b"] {
        let answer = app.post("/products", "k", product(odd, "Odd")).await;
        assert_eq!(pointers(answer.is_problem(400, "invalid_body")), ["/sku"], "{odd:?}");
        let answer = app.post("/customers", "k", json!({ "customer_id": odd })).await;
        assert_eq!(pointers(answer.is_problem(400, "invalid_body")), ["/customer_id"], "{odd:?}");
    }
    for (key, real) in
        ["BANK CHARGES", "gift_0001_20", "85123a", "C2", "15056-BL ack"].iter().enumerate()
    {
        app.post("/products", &key.to_string(), product(real, "Real")).await.is(201);
    }
    // What is only named, and may be older than the rule, is looked for like everything else.
    let named = app.post("/stock/a%2Fb/receive", "n", json!({ "quantity": 1 })).await;
    named.is_problem(404, "product_not_found");
}

#[tokio::test]
async fn blanks_around_a_text_are_not_kept_and_a_repeat_is_known_all_the_same() {
    let app = TestApp::start().await;
    let first = app.post("/products", "k", product("A", " Card, cat and tree  ")).await;
    first.is(201);
    let payload: Value = serde_json::from_str(&events(&*app.log).await[0].payload).unwrap();
    assert_eq!(payload["name"], "Card, cat and tree");
    let again = app.post("/products", "k", product("A", " Card, cat and tree  ")).await;
    assert_eq!((again.is(201), again.header("idempotency-replayed")), (first.is(201), "true"));
    app.post("/products", "k", product("A", "Card, cat and tree"))
        .await
        .is_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_customer_has_a_mail_address_and_a_number_that_could_be_ones() {
    let app = TestApp::start().await;
    for wrong in [
        json!({ "customer_id": "c", "email": "lovelace" }),
        json!({ "customer_id": "c", "email": "@" }),
        json!({ "customer_id": "c", "phone": "call me" }),
    ] {
        let answer = app.post("/customers", "k", &wrong).await;
        let problem = answer.is_problem(400, "invalid_body").to_string();
        assert!(!problem.contains("lovelace") && !problem.contains("call me"), "{problem}");
    }
    app.post(
        "/customers",
        "k",
        json!({ "customer_id": "c", "email": "ada@example.org", "phone": "+44 20 7946 0000" }),
    )
    .await
    .is(201);
    let contact = app.post("/customers/c/contact", "k2", json!({ "email": "nobody" })).await;
    assert_eq!(pointers(contact.is_problem(400, "invalid_body")), ["/email"]);
}

#[tokio::test]
async fn who_uses_a_key_again_is_told_for_what_and_when_it_was_used() {
    let app = TestApp::start().await;
    app.post("/products", "k", product("A", "One")).await.is(201);
    for (path, body) in
        [("/products", product("A", "Two")), ("/stock/A/receive", json!({ "quantity": 1 }))]
    {
        let answer = app.post(path, "k", body).await;
        let told =
            answer.is_problem(422, "idempotency_key_reused")["detail"].as_str().unwrap().to_owned();
        let year = service_kit::clock::system()().format("on %Y-").to_string();
        for part in ["`k`", &year, "about `A` (position 1)", "Draw a new key"] {
            assert!(told.contains(part), "no {part} in {told}");
        }
    }
    // Also where the command was refused before it could be looked up.
    let late = json!({ "quantity": 1, "occurred_at": "9000-01-01T00:00:00Z" });
    let answer = app.post("/stock/A/receive", "k", late).await;
    assert!(answer.is_problem(422, "idempotency_key_reused")["detail"].is_string());
}

#[tokio::test]
async fn a_wait_that_is_kept_to_is_said() {
    let app = TestApp::start().await;
    app.sell("A", 10).await;
    let order = |id: &str| {
        json!({ "order_id": id, "currency": "GBP", "lines": [{ "sku": "A", "quantity": 1 }],
        "payment_method": "pm_ok", "shipping_address": { "country": "France" } })
    };
    let headers = [("idempotency-key", "1"), ("prefer", "wait=0")];
    let answer = app.post_with("/orders", &headers, order("1")).await;
    assert_eq!(
        (answer.is(201)["id"].as_str(), answer.header("preference-applied")),
        (Some("1"), "wait=0")
    );
    let answer = app.post("/orders", "2", order("2")).await;
    assert_eq!(
        (answer.is(201)["id"].as_str(), answer.header("preference-applied")),
        (Some("2"), "")
    );
    let mut draft = order("3");
    draft["draft"] = true.into();
    let headers = [("idempotency-key", "3"), ("prefer", "wait=99")];
    let answer = app.post_with("/orders", &headers, draft).await;
    assert_eq!(
        (answer.is(201)["status"].as_str(), answer.header("preference-applied")),
        (Some("draft"), "")
    );
}
