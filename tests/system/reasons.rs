//! Who has to say why, and where it stands: every operation that changes something is in one of four lists, and docs/security.md says
//! the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::access::{Shop, Who, guarded};
use crate::platform::{Answer, Platform};
use crate::shop::order;

/// Whoever does this says why.
const OF_ALL: &[&str] = &[
    "POST /v1/products/{sku}/discontinue",
    "POST /v1/stock/{sku}/adjust",
    "POST /v1/customers/{id}/block",
    "POST /v1/customers/{id}/erase",
    "POST /v1/orders/{id}/hold",
    "POST /v1/orders/{id}/release",
    "POST /v1/orders/{id}/erase",
    "POST /v1/sagas/{id}/retry",
    "POST /v1/sagas/{id}/resolve",
    "POST /v1/projections/{name}/rebuild",
    "POST /v1/projections/{name}/rollback",
    "POST /v1/projections/{name}/switch",
    "POST /v1/projections/{name}/drop",
    "POST /v1/projections/{name}/park",
    "POST /v1/projections/{name}/replay",
    "POST /v1/dead-letters/{id}/replay",
    "POST /v1/webhooks",
    "DELETE /v1/webhooks/{id}",
    "POST /v1/webhooks/{id}/enable",
    "POST /v1/webhooks/{id}/disable",
    "POST /v1/webhooks/{id}/rotate-secret",
    "POST /v1/webhooks/{id}/redeliver",
    "POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver",
    "POST /v1/mails/{id}/resend",
    "POST /v1/mails/resend",
];

/// Support and operators say why; customers and programs need not.
const OF_STAFF: &[&str] = &[
    "POST /v1/products/{sku}/price",
    "POST /v1/products/{sku}/name",
    "POST /v1/stock/{sku}/receive",
    "POST /v1/customers/{id}/contact",
    "POST /v1/orders/{id}/cancel",
    "POST /v1/orders/{id}/lines/cancel",
    "POST /v1/orders/{id}/returns",
    "POST /v1/notices/{id}/read",
    "POST /v1/notices/read",
];

/// Nobody has to say why, and what is said is kept.
const OF_NOBODY: &[&str] =
    &["POST /v1/orders/{id}/place", "POST /v1/orders/{id}/returns/{return}/receive"];

/// What is made anew, and what becomes of a parcel: the event has who.
const WITHOUT: &[&str] = &[
    "POST /v1/products",
    "POST /v1/customers",
    "POST /v1/orders",
    "POST /v1/orders/{id}/lines",
    "POST /v1/orders/{id}/lines/{line}/quantity",
    "POST /v1/orders/{id}/lines/{line}/remove",
    "POST /v1/shipments/{id}/ship",
    "POST /v1/shipments/{id}/deliver",
];

/// Whether an operation can be told why, and then whether it has to be; of the body, or of a `DELETE` of the address.
fn takes_a_reason(api: &Value, operation: &Value) -> Option<bool> {
    let named = operation["parameters"].as_array().into_iter().flatten();
    if let Some(said) = named.into_iter().find(|parameter| parameter["name"] == "reason") {
        return Some(said["required"] == true);
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let either = schema["oneOf"].as_array().into_iter().flatten();
    let name = either.chain([schema]).find_map(|schema| schema["$ref"].as_str());
    let schema = api.pointer(name?.strip_prefix('#')?)?;
    schema["properties"]["reason"].is_object().then(|| {
        schema["required"].as_array().into_iter().flatten().any(|member| member == "reason")
    })
}

#[tokio::test]
async fn every_operation_that_changes_something_says_whether_it_is_told_why() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    let mut described = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "get" {
                continue;
            }
            let name = format!("{} {path}", method.to_uppercase());
            let has = |list: &[&str]| list.contains(&name.as_str());
            let wanted = match () {
                () if has(OF_ALL) => Some(true),
                () if has(OF_STAFF) || has(OF_NOBODY) => Some(false),
                () if has(WITHOUT) => None,
                () => panic!("{name} is in no list: who has to say why?"),
            };
            assert_eq!(takes_a_reason(&api, operation), wanted, "{name}");
            described.insert(name);
        }
    }
    let listed = [OF_ALL, OF_STAFF, OF_NOBODY, WITHOUT].concat();
    for name in listed {
        assert!(described.contains(name), "{name} is no operation");
    }
}

/// The newest event of this type, as the API shows it.
async fn newest(shop: &Shop<'_>, event_type: &str) -> Value {
    let log = shop.get(Who::Operator, "/v1/events?limit=1000").await.ok();
    let events = log["items"].as_array().unwrap();
    let found = events.iter().rfind(|event| event["type"] == event_type);
    found.unwrap_or_else(|| panic!("no {event_type} in {log:#}")).clone()
}

#[track_caller]
fn is_asked_why(answer: &Answer) {
    assert_eq!(answer.problem(), (400, "invalid_body"), "{answer:?}");
    assert_eq!(answer.body["errors"][0]["pointer"], "/reason", "{answer:?}");
}

/// Somebody of the staff does this: without a reason nothing comes of it, and with one the event has who and why.
async fn staff_say_why(shop: &Shop<'_>, who: Who, (path, event_type): (&str, &str), body: Value) {
    for nothing in [Value::Null, "".into(), " ".into()] {
        let mut silent = body.clone();
        silent["reason"] = nothing;
        is_asked_why(&shop.post(who, path, path, &silent).await);
    }
    is_asked_why(&shop.post(who, path, path, &body).await);
    let mut told = body;
    told["reason"] = format!("because of {event_type}").into();
    shop.post(who, path, path, &told).await.ok();
    let event = newest(shop, event_type).await;
    assert_eq!(event["data"]["reason"], told["reason"], "{event:#}");
    let actor = if who == Who::Support { "dev:sue" } else { "dev:ada" };
    let named =
        if event_type == "OperatorActed" { &event["data"]["actor"] } else { &event["actor"] };
    assert_eq!(named, actor, "{event:#}");
}

#[tokio::test]
async fn staff_say_why_they_change_what_is_there_and_customers_and_programs_need_not() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let price = json!({ "unit_price": { "amount": 1, "currency": "GBP" } });
    staff_say_why(&shop, Who::Operator, ("/v1/products/22423/price", "PriceChanged"), price).await;
    let name = json!({ "name": "Stand" });
    staff_say_why(&shop, Who::Operator, ("/v1/products/22423/name", "ProductRenamed"), name).await;
    let units = json!({ "quantity": 1 });
    staff_say_why(&shop, Who::Operator, ("/v1/stock/22423/receive", "StockReceived"), units).await;
    let contact = json!({ "email": "ada@example.org" });
    let path = "/v1/customers/17850/contact";
    staff_say_why(&shop, Who::Support, (path, "ContactChanged"), contact.clone()).await;
    shop.post(Who::Owner, path, "mine", &contact).await.ok();
    assert_eq!(newest(&shop, "ContactChanged").await["data"]["reason"], Value::Null);
    let price = json!({ "unit_price": { "amount": 2, "currency": "GBP" } });
    shop.post(Who::Service, "/v1/products/22423/price", "program", &price).await.ok();

    for id in ["second", "third"] {
        shop.post(Who::Owner, "/v1/orders", id, &order(id, "22423", "pm_ok")).await.ok();
    }
    shop.until(Who::Owner, "/v1/orders/third", |order| order["status"] == "confirmed").await;
    let unit = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let asked = ("/v1/orders/third/lines/cancel", "CancellationRequested");
    staff_say_why(&shop, Who::Support, asked, unit).await;
    let asked = ("/v1/orders/third/cancel", "CancellationRequested");
    staff_say_why(&shop, Who::Support, asked, json!({})).await;
    shop.post(Who::Owner, "/v1/orders/second/cancel", "my-order", &json!({})).await.ok();
    // As it always was.
    let erase = "/v1/customers/17851/erase";
    staff_say_why(&shop, Who::Operator, (erase, "CustomerErased"), json!({})).await;
}

#[tokio::test]
async fn a_return_and_what_was_read_are_told_why_where_staff_say_it_in_a_customer_s_stead() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let left = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
    let parcel = shop.shipment();
    shop.post(Who::Operator, &format!("/v1/shipments/{parcel}/ship"), "s", &left).await.ok();
    let path = format!("/v1/shipments/{parcel}/deliver");
    shop.post(Who::Operator, &path, "d", &json!({})).await.ok();
    assert_eq!(newest(&shop, "ShipmentDelivered").await["actor"], "dev:ada");
    shop.until(Who::Owner, "/v1/orders/first", |order| order["status"] == "completed").await;
    let unit = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    let path = "/v1/orders/first/returns";
    staff_say_why(&shop, Who::Support, (path, "ReturnRequested"), unit.clone()).await;
    let mine = shop.post(Who::Owner, path, "mine", &unit).await.ok();
    let receive = format!("{path}/{}/receive", mine["return_id"].as_str().unwrap());
    let broken = json!({ "restock": false, "reason": "scratched" });
    shop.post(Who::Operator, &receive, "broken", &broken).await.ok();
    assert_eq!(newest(&shop, "ReturnReceived").await["data"]["reason"], "scratched");

    let read = format!("/v1/notices/{}/read", shop.notice());
    staff_say_why(&shop, Who::Operator, (&read, "OperatorActed"), json!({})).await;
    let event = newest(&shop, "OperatorActed").await;
    assert_eq!(event["data"]["subject"], "notices/17850");
    assert_eq!(event["data"]["key"], shop.notice());
    let all = json!({ "customer_id": "17850" });
    staff_say_why(&shop, Who::Operator, ("/v1/notices/read", "OperatorActed"), all.clone()).await;
    let last = newest(&shop, "OperatorActed").await;
    shop.post(Who::Service, "/v1/notices/read", "program", &all).await.ok();
    shop.post(Who::Owner, "/v1/notices/read", "mine", &json!({})).await.ok();
    let own = json!({ "reason": "I have read it" });
    let kept = shop.post(Who::Owner, "/v1/notices/read", "why", &own).await;
    assert_eq!(kept.problem(), (400, "invalid_body"), "it would not be kept");
    assert_eq!(newest(&shop, "OperatorActed").await, last, "that is nobody's action");
}
