//! Personal data at the edge: sealed on its way in, unreadable once its person is erased.

use domain::customers::EraseCustomer;
use domain::ids::CustomerId;
use event_store::EventLog;
use event_store::keys::SealError;
use serde_json::json;

use crate::support::{TestApp, asked, events};

fn ada() -> serde_json::Value {
    json!({ "customer_id": "c1", "name": "Ada Lovelace", "email": "ada@example.org" })
}

async fn whole_log(log: &dyn EventLog) -> String {
    events(log).await.into_iter().map(|event| event.payload).collect()
}

#[tokio::test]
async fn no_clear_personal_data_is_in_the_log_and_the_vault_opens_what_is() {
    let app = TestApp::start().await;
    app.sell("22423", 1).await;
    app.post("/customers", "k1", ada()).await.is(201);
    app.post("/customers/c1/contact", "k2", json!({ "phone": "0123456" })).await.is(200);
    let order = json!({ "order_id": "o", "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 1 }],
        "shipping_address": { "country": "France", "name": "Grace Hopper", "lines": ["Rue 1"] } });
    app.post("/orders", "k3", order).await.is(201);
    let log = whole_log(&*app.log).await;
    // Each is too long to stand in what is sealed by chance, or has a character that Base64 lacks.
    for clear in ["Ada Lovelace", "ada@", "0123456", "Grace Hopper", "Rue 1"] {
        assert!(!log.contains(clear), "{clear}");
    }
    let registered = events(&*app.log).await;
    let registered = registered.iter().find(|event| &*event.event_type == "CustomerRegistered");
    let payload: serde_json::Value = serde_json::from_str(&registered.unwrap().payload).unwrap();
    let sealed = payload["name"]["sealed"].as_str().unwrap();
    let opened = app.vault.open("customer-c1", sealed).await.unwrap().unwrap();
    assert_eq!(opened, b"\"Ada Lovelace\"");
}

#[tokio::test]
async fn an_erased_customers_data_opens_nowhere_and_nothing_is_sealed_for_them_again() {
    let app = TestApp::start().await;
    app.post("/customers", "k1", ada()).await.is(201);
    let sealed = app.vault.seal("customer-c1", b"Ada").await.unwrap();
    let why = json!({ "reason": "asked for it" });
    let erased = app.post("/customers/c1/erase", "k2", &why).await;
    erased.is(200);
    assert_eq!(app.vault.open("customer-c1", &sealed.sealed).await.unwrap(), None);
    let contact = json!({ "phone": "0123456" });
    let refused = app.post("/customers/c1/contact", "k3", contact).await;
    refused.is_problem(422, "customer_erased");
    let again = app.post("/customers/c1/erase", "k2", &why).await;
    assert_eq!(again.is(200), erased.is(200));
    let registered = app.post("/customers", "k1", ada()).await;
    assert_eq!(registered.is(201)["id"], "c1");
    assert_eq!(registered.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_guest_is_erased_by_order_and_a_customers_order_is_not() {
    let app = TestApp::start().await;
    app.sell("22423", 9).await;
    app.post("/customers", "k1", ada()).await.is(201);
    let order = |id: &str, customer: Option<&str>| {
        json!({ "order_id": id, "customer_id": customer, "currency": "GBP", "payment_method": "pm_ok",
            "lines": [{ "sku": "22423", "quantity": 1 }],
            "shipping_address": { "country": "France", "city": "Lyon" } })
    };
    app.post("/orders", "g", order("guest", None)).await.is(201);
    app.post("/orders", "n", order("named", Some("c1"))).await.is(201);
    let sealed = app.vault.seal("order-guest", b"x").await.unwrap();
    let why = json!({ "reason": "asked for it" });
    app.post("/orders/guest/erase", "e1", &why).await.is(200);
    assert_eq!(app.vault.open("order-guest", &sealed.sealed).await.unwrap(), None);
    app.post("/orders/named/erase", "e2", &why).await.is_problem(422, "not_a_guest_order");
}

#[tokio::test]
async fn a_blocked_customer_may_not_order() {
    let app = TestApp::start().await;
    app.sell("22423", 9).await;
    let drawn = app.post("/customers", "k1", json!({})).await;
    let id = drawn.is(201)["id"].as_str().unwrap().to_owned();
    let block = json!({ "reason": "fraud" });
    app.post(&format!("/customers/{id}/block"), "k2", block).await.is(200);
    let order = json!({ "customer_id": id, "currency": "GBP", "payment_method": "pm_ok",
        "lines": [{ "sku": "22423", "quantity": 1 }], "shipping_address": { "country": "France" } });
    app.post("/orders", "k3", order).await.is_problem(422, "customer_blocked");
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_off_is_finished_at_the_next_start() {
    let app = TestApp::start().await;
    app.post("/customers", "k1", ada()).await.is(201);
    let erase = EraseCustomer { customer_id: CustomerId::parse("c1").unwrap(), reason: None };
    // What is in the log when the process dies right after the commit: the event, and not yet the end.
    app.service.processor().execute(asked("cut-off", erase)).await.unwrap();
    assert_eq!(app.log.open_intents().await.unwrap().len(), 1);
    let app = app.restart().await;
    let mut left = 1;
    while left > 0 {
        tokio::task::yield_now().await;
        left = app.log.open_intents().await.unwrap().len();
    }
    let refused = app.vault.seal("customer-c1", b"Ada").await;
    assert!(matches!(refused, Err(SealError::Erased)));
}
