//! What is done to what is another's is done for a reason, and the event says it.

use command_service::RequestHasher;
use command_service::processor::ProcessorHandle;
use domain::catalog::DiscontinueProduct;
use domain::command::Command;
use domain::ids::OrderId;
use domain::orders::HoldOrder;
use event_store::EventLog as _;
use serde_json::{Value, json};

use crate::support::{TestApp, asked, events};

/// Each command that has to say why, in an order in which each does something, and the event that it makes.
const WITH_REASON: [(&str, &str); 6] = [
    ("/orders/o/hold", "OrderHeld"),
    ("/orders/o/release", "HoldReleased"),
    ("/orders/o/erase", "OrderErased"),
    ("/customers/c1/block", "CustomerBlocked"),
    ("/customers/c1/erase", "CustomerErased"),
    ("/products/22423/discontinue", "ProductDiscontinued"),
];

async fn shop() -> TestApp {
    let app = TestApp::start().await;
    app.sell("22423", 9).await;
    app.post("/customers", "c", json!({ "customer_id": "c1" })).await.is(201);
    let order = json!({ "order_id": "o", "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 1 }], "shipping_address": { "country": "France" } });
    app.post("/orders", "o", order).await.is(201);
    app
}

#[tokio::test]
async fn without_a_reason_nothing_is_done_to_what_is_anothers() {
    let app = shop().await;
    let before = events(&*app.log).await.len();
    for (path, _) in WITH_REASON {
        for body in ["", "null", "{}", r#"{ "reason": null }"#, r#"{ "reason": " " }"#] {
            let answer = app.post(path, path, body).await;
            let problem = answer.is_problem(400, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], "/reason", "{path} {body}: {problem}");
        }
    }
    assert_eq!(events(&*app.log).await.len(), before);
    assert!(app.log.open_intents().await.unwrap().is_empty(), "nobody's key is destroyed");
}

#[tokio::test]
async fn the_event_says_why() {
    let app = shop().await;
    for (path, event_type) in WITH_REASON {
        let reason = format!("because of {event_type}");
        app.post(path, path, json!({ "reason": reason })).await.is(200);
        let events = events(&*app.log).await;
        let event = events.iter().rfind(|event| &*event.event_type == event_type).unwrap();
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        assert_eq!(payload["reason"], json!(reason), "{path}");
    }
    let price = json!({ "unit_price": { "amount": 1, "currency": "GBP" } });
    app.post("/products/22423/price", "p", price).await.is_problem(422, "product_discontinued");
}

#[tokio::test]
async fn a_price_may_change_without_a_reason_and_keeps_one_that_is_given() {
    let app = shop().await;
    let mut body = json!({ "unit_price": { "amount": 1, "currency": "GBP" } });
    app.post("/products/22423/price", "p1", &body).await.is(200);
    body["unit_price"]["amount"] = json!(2);
    body["reason"] = json!("a typing error");
    app.post("/products/22423/price", "p2", &body).await.is(200);
    let events = events(&*app.log).await;
    let mut changed = events.iter().filter(|event| &*event.event_type == "PriceChanged");
    assert!(!changed.next().unwrap().payload.contains("reason"));
    assert!(changed.next().unwrap().payload.contains(r#""reason":"a typing error""#));
}

#[tokio::test]
async fn where_nobody_is_asked_who_they_are_what_is_there_may_change_without_a_reason_and_keeps_one()
 {
    let app = shop().await;
    for (path, event_type, mut body) in [
        ("/products/22423/name", "ProductRenamed", json!({ "name": "Stand" })),
        ("/stock/22423/receive", "StockReceived", json!({ "quantity": 1 })),
        ("/customers/c1/contact", "ContactChanged", json!({ "phone": "0123456" })),
    ] {
        app.post(path, &format!("{path}/1"), &body).await.is(200);
        let before = newest(&app, event_type).await;
        assert!(!before.contains("reason"), "{before}");
        body["reason"] = json!("as asked for");
        if event_type == "ProductRenamed" {
            body["name"] = json!("Cakestand");
        }
        app.post(path, &format!("{path}/2"), &body).await.is(200);
        let after = newest(&app, event_type).await;
        assert!(after.contains(r#""reason":"as asked for""#), "{after}");
    }
}

#[tokio::test]
async fn why_a_cart_is_placed_stands_in_the_event() {
    let app = shop().await;
    let cart = json!({ "order_id": "cart", "currency": "GBP", "payment_method": "pm_ok", "draft": true,
        "lines": [{ "sku": "22423", "quantity": 1 }], "shipping_address": { "country": "France" } });
    app.post("/orders", "cart", cart).await.is(201);
    app.post("/orders/cart/place", "p", json!({ "reason": "asked for on the telephone" }))
        .await
        .is(200);
    let placed = newest(&app, "OrderPlaced").await;
    assert!(placed.contains(r#""reason":"asked for on the telephone""#), "{placed}");
}

/// The payload of the newest event of this type.
async fn newest(app: &TestApp, event_type: &str) -> String {
    let events = events(&*app.log).await;
    let event = events.iter().rfind(|event| &*event.event_type == event_type).unwrap();
    event.payload.clone()
}

/// Has in the log what a request made of which no reason was asked yet.
async fn before_the_rule(processor: &ProcessorHandle, path: &str, body: &str, command: Command) {
    let mut request = asked(&format!("client/{path}"), command);
    let parts: [&[u8]; 4] = [b"POST", path.as_bytes(), b"", body.as_bytes()];
    request.request_hash = RequestHasher::new(b"test").hash(&parts);
    processor.execute(request).await.unwrap();
}

#[tokio::test]
async fn what_was_done_before_a_reason_was_asked_for_keeps_its_answer() {
    let app = shop().await;
    let processor = app.service.processor();
    let hold = HoldOrder { order_id: OrderId::parse("o").unwrap(), reason: None };
    let body = r#"{"reason":null,"occurred_at":null}"#;
    before_the_rule(&processor, "/orders/o/hold", body, hold.into()).await;
    let discontinue = DiscontinueProduct { sku: "22423".parse().unwrap(), reason: None };
    let body = r#"{"occurred_at":null}"#;
    before_the_rule(&processor, "/products/22423/discontinue", body, discontinue.into()).await;
    // What says nothing new is what it was before anything could be said.
    let receive = domain::inventory::ReceiveStock {
        sku: "22423".parse().unwrap(),
        quantity: domain::text::Quantity::new(1).unwrap(),
        reason: None,
    };
    let (path, body) = ("/stock/22423/receive", r#"{"quantity":1,"occurred_at":null}"#);
    before_the_rule(&processor, path, body, receive.into()).await;
    let again = app.post(path, path, json!({ "quantity": 1 })).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    for path in ["/orders/o/hold", "/products/22423/discontinue"] {
        for body in ["", "{}"] {
            let again = app.post(path, path, body).await;
            again.is(200);
            assert_eq!(again.header("idempotency-replayed"), "true", "{path} {body:?}");
        }
    }
}
