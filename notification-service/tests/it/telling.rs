//! Endpoints are told: in order, signed, of what they want.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bench::{Bench, id, on_both};
use crate::receiver::{Answer, Receiver, Told};

on_both! {
    an_order_s_events_arrive_in_order_and_signed,
    an_endpoint_is_told_of_what_it_wants_and_of_nothing_before_it_was_there,
    while_a_secret_is_changed_both_sign,
    what_was_told_is_told_again_when_it_is_asked_for_once_under_a_key,
    a_deleted_webhook_is_told_nothing_more,
    what_comes_while_what_was_before_it_is_told_is_told_next,
    after_a_crash_what_is_left_is_told_and_nothing_is_lost,
}

/// Whether a receiver with this secret takes what it was told.
fn is_signed(told: &Told, secret: &Value) -> bool {
    let key = secret.as_str().unwrap().strip_prefix("whsec_").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    let (id, at) = (told.header("webhook-id"), told.header("webhook-timestamp"));
    let content = format!("{id}.{at}.{}", told.body);
    told.header("webhook-signature").split(' ').any(|signature| {
        let signature = signature.strip_prefix("v1,").unwrap();
        hmac::verify(&key, content.as_bytes(), &STANDARD.decode(signature).unwrap()).is_ok()
    })
}

async fn an_order_s_events_arrive_in_order_and_signed(bench: Bench) {
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(204)).await);
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    bench.log.confirm("o1").await;
    bench.log.ship("o1").await;
    bench.log.complete("o1").await;
    let told = receiver.until(4).await;
    let expected = [
        "order.placed of o1",
        "order.confirmed of o1",
        "parcel.shipped of o1",
        "order.completed of o1",
    ];
    assert_eq!(receiver.whats(), expected);
    for told in &told {
        assert!(is_signed(told, &webhook["secret"]), "{told:?}");
        let event = told.event();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], told.header("webhook-id"));
        assert_eq!(event["data"]["order_id"], "o1");
        assert_eq!(event["data"]["customer_id"], "17850");
        assert_eq!(told.header("content-type"), "application/cloudevents+json");
    }
    let total = json!({ "amount": 2550, "currency": "GBP" });
    assert_eq!(told[1].event()["data"]["total"], total, "remembered of the order");
    let sequences: Vec<_> = told.iter().map(|told| told.event()["sequence"].to_string()).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    let delivered = running.until_deliveries(&webhook, "delivered", 4).await;
    let last = delivered["items"][0]["id"].as_i64().unwrap();
    let shown = running.get(&format!("/webhooks/{}/deliveries/{last}", id(&webhook))).await;
    assert_eq!(shown["log"][0]["status"], 204);
    assert_eq!(shown["event"], told[3].event());
    running.service.shutdown().await;
}

async fn an_endpoint_is_told_of_what_it_wants_and_of_nothing_before_it_was_there(bench: Bench) {
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(200)).await);
    bench.log.place("early").await;
    let wanted = json!({ "url": receiver.url(), "events": ["parcel.*", "order.completed"], "reason": "go live" });
    let (_, webhook) = running.post("/webhooks", "k", wanted).await;
    for order in ["early", "late"] {
        if order == "late" {
            bench.log.place(order).await;
        }
        bench.log.confirm(order).await;
        bench.log.ship(order).await;
        bench.log.complete(order).await;
    }
    receiver.until(4).await;
    let mut whats = receiver.whats();
    whats.sort();
    let expected = [
        "order.completed of early",
        "order.completed of late",
        "parcel.shipped of early",
        "parcel.shipped of late",
    ];
    assert_eq!(whats, expected);
    running.until(&format!("/webhooks/{}", id(&webhook)), |webhook| webhook["waiting"] == 0).await;
    running.service.shutdown().await;
}

async fn while_a_secret_is_changed_both_sign(bench: Bench) {
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(200)).await);
    let webhook = running.register(&receiver.url()).await;
    let path = format!("/webhooks/{}/rotate-secret", id(&webhook));
    let (status, rotated) = running.post(&path, "r", json!({ "reason": "it leaked" })).await;
    assert_eq!(status, 200, "{rotated}");
    assert_ne!(rotated["secret"], webhook["secret"]);
    let (_, again) = running.post(&path, "r", json!({ "reason": "it leaked" })).await;
    assert_eq!(again["secret"], rotated["secret"], "a repeat draws no other");
    bench.log.place("o1").await;
    let told = receiver.until(1).await;
    assert!(is_signed(&told[0], &webhook["secret"]) && is_signed(&told[0], &rotated["secret"]));
    let body = json!({ "reason": "at once", "overlap_s": 0 });
    let (_, last) = running.post(&path, "s", body).await;
    bench.log.confirm("o1").await;
    let told = receiver.until(2).await;
    assert!(is_signed(&told[1], &last["secret"]) && !is_signed(&told[1], &rotated["secret"]));
    running.service.shutdown().await;
}

async fn what_was_told_is_told_again_when_it_is_asked_for_once_under_a_key(bench: Bench) {
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(200)).await);
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    let delivered = running.until_deliveries(&webhook, "delivered", 1).await;
    let delivery = delivered["items"][0]["id"].as_i64().unwrap();
    let path = format!("/webhooks/{}/deliveries/{delivery}/redeliver", id(&webhook));
    for _ in 0..2 {
        let (status, again) =
            running.post(&path, "again", json!({ "reason": "it was lost" })).await;
        assert_eq!(status, 200, "{again}");
        running.until_deliveries(&webhook, "delivered", 1).await;
    }
    bench.log.confirm("o1").await;
    let told = receiver.until(3).await;
    assert_eq!(told[0].header("webhook-id"), told[1].header("webhook-id"));
    let expected = ["order.placed of o1", "order.placed of o1", "order.confirmed of o1"];
    assert_eq!(receiver.whats(), expected, "once under a key");
    running.service.shutdown().await;
}

async fn a_deleted_webhook_is_told_nothing_more(bench: Bench) {
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(200)).await);
    let other = Receiver::answering(Answer::Status(200)).await;
    let webhook = running.register(&receiver.url()).await;
    running.register(&other.url()).await;
    bench.log.place("o1").await;
    receiver.until(1).await;
    let path = format!("/webhooks/{}", id(&webhook));
    for _ in 0..2 {
        let path = format!("{path}?reason=no%20more%20of%20it");
        let (status, _) = running.ask(axum::http::Method::DELETE, &path, Some("d"), None).await;
        assert_eq!(status, 204);
    }
    bench.log.confirm("o1").await;
    other.until(2).await;
    assert_eq!(receiver.told().len(), 1);
    let (status, problem) = running.ask(axum::http::Method::GET, &path, None, None).await;
    assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("webhook_not_found")));
    assert_eq!(running.get("/webhooks").await["items"].as_array().unwrap().len(), 1);
    running.service.shutdown().await;
}

async fn after_a_crash_what_is_left_is_told_and_nothing_is_lost(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(500)).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    for order in ["o1", "o2", "o3"] {
        bench.log.place(order).await;
        bench.log.confirm(order).await;
    }
    receiver.until(3).await;
    running.service.kill().await;
    bench.log.ship("o1").await;
    receiver.answer(Answer::Status(200));
    let running = bench.start().await;
    running.until_deliveries(&webhook, "delivered", 7).await;
    running.until_deliveries(&webhook, "waiting", 0).await;
    for order in ["o1", "o2", "o3"] {
        let mut of_order = receiver.whats();
        of_order.retain(|what| what.ends_with(order));
        of_order.dedup();
        let first_two = [format!("order.placed of {order}"), format!("order.confirmed of {order}")];
        assert_eq!(of_order[..2], first_two, "in order, whatever was tried how often");
    }
    running.service.shutdown().await;
}

/// What is added of an order and what is settled of it meet all the time.
async fn what_comes_while_what_was_before_it_is_told_is_told_next(bench: Bench) {
    const ORDERS: usize = 60;
    let (running, receiver) = (bench.start().await, Receiver::answering(Answer::Status(200)).await);
    let webhook = running.register(&receiver.url()).await;
    let orders: Vec<String> = (0..ORDERS).map(|n| format!("o{n}")).collect();
    for order in &orders {
        bench.log.place(order).await;
        // Not before something of it is on its way.
        receiver.until(1).await;
        tokio::task::yield_now().await;
        bench.log.confirm(order).await;
        tokio::task::yield_now().await;
        bench.log.ship(order).await;
        bench.log.complete(order).await;
    }
    receiver.until(4 * ORDERS).await;
    let path = format!("/webhooks/{}", id(&webhook));
    running.until(&path, |webhook| webhook["waiting"] == 0).await;
    running.service.shutdown().await;
}
