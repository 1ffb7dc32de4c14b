//! Receivers that fail, hang, drip, redirect, say that they are gone.

use std::time::Duration;

use notification_service::{Schedule, Settings};
use serde_json::{Value, json};

use crate::bench::{Bench, DEADLINE, id, on_both};
use crate::receiver::{Answer, Receiver, raw};

on_both! {
    what_fails_holds_back_its_own_order_and_nothing_else,
    one_that_is_gone_is_disabled_and_what_waits_is_told_when_it_is_back,
    a_receiver_that_hangs_hurts_no_other,
    what_never_gets_through_is_given_up_and_told_again_when_asked_for,
    what_waits_says_for_what_and_has_a_time_only_if_it_is_tried_then,
}

/// The log of the only delivery that waits.
async fn attempts(running: &crate::bench::Running, webhook: &Value) -> Vec<Value> {
    let path = format!("/webhooks/{}/deliveries", id(webhook));
    let page = running.until(&path, |page| page["items"][0]["attempts"].as_u64() > Some(0)).await;
    let delivery = page["items"][0]["id"].as_i64().unwrap();
    let shown = running.get(&format!("{path}/{delivery}")).await;
    shown["log"].as_array().unwrap().clone()
}

async fn what_fails_holds_back_its_own_order_and_nothing_else(bench: Bench) {
    let receiver = Receiver::answering(Answer::OfOrder("bad", 500)).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    for order in ["bad", "good"] {
        bench.log.place(order).await;
        bench.log.confirm(order).await;
    }
    running.until_deliveries(&webhook, "delivered", 2).await;
    running.until_deliveries(&webhook, "waiting", 2).await;
    let whats = receiver.whats();
    assert!(!whats.contains(&"order.confirmed of bad".to_owned()), "{whats:?}");
    receiver.answer(Answer::Status(200));
    running.until_deliveries(&webhook, "delivered", 4).await;
    let whats = receiver.whats();
    assert_eq!(whats.last().unwrap(), "order.confirmed of bad");
    let shown = running.get(&format!("/webhooks/{}", id(&webhook))).await;
    assert_eq!(shown["failing_since"], Value::Null);
    running.service.shutdown().await;
}

async fn one_that_is_gone_is_disabled_and_what_waits_is_told_when_it_is_back(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(410)).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    let path = format!("/webhooks/{}", id(&webhook));
    bench.log.place("o1").await;
    let disabled = running.until(&path, |webhook| webhook["state"] == "disabled").await;
    let why = disabled["disabled_reason"].as_str().unwrap();
    assert!(why.contains("410"), "{why}");
    bench.log.confirm("o1").await;
    running.until(&path, |webhook| webhook["waiting"] == 2).await;
    assert_eq!(receiver.told().len(), 1, "it is not asked again");
    receiver.answer(Answer::Status(200));
    let (status, enabled) =
        running.post(&format!("{path}/enable"), "e", json!({ "reason": "it is back" })).await;
    assert_eq!((status.as_u16(), &enabled["state"]), (200, &json!("enabled")));
    running.until_deliveries(&webhook, "delivered", 2).await;
    let expected = ["order.placed of o1", "order.placed of o1", "order.confirmed of o1"];
    assert_eq!(receiver.whats(), expected);
    running.service.shutdown().await;
}

async fn a_receiver_that_hangs_hurts_no_other(bench: Bench) {
    let (hangs, well) =
        (Receiver::answering(Answer::Hang).await, Receiver::answering(Answer::Status(200)).await);
    let running = bench.start().await;
    let hanging = running.register(&hangs.url()).await;
    let drips = raw("HTTP/1.1 200 OK\r\nx-slow: ", b'a', true).await;
    let dripping = running.register(&format!("http://{drips}/")).await;
    let other = running.register(&well.url()).await;
    let orders: Vec<String> = (0..40).map(|n| format!("o{n}")).collect();
    let begun = std::time::Instant::now();
    for order in &orders {
        bench.log.place(order).await;
    }
    well.until(orders.len()).await;
    let took = begun.elapsed();
    // All at a time it would be 40 deadlines; in the room of one endpoint 5.
    assert!(took < DEADLINE * 4, "{took:?}");
    running.until_deliveries(&other, "delivered", orders.len()).await;
    for webhook in [&hanging, &dripping] {
        let log = attempts(&running, webhook).await;
        assert_eq!(log[0]["status"], Value::Null);
        assert_eq!(log[0]["error"], "no answer within 400ms");
    }
    let stopped = tokio::time::timeout(Duration::from_secs(5), running.service.shutdown()).await;
    assert!(stopped.is_ok(), "nor does it hold up the end");
}

async fn what_never_gets_through_is_given_up_and_told_again_when_asked_for(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(500)).await;
    let schedule = Schedule::of(vec![Duration::from_millis(20); 2]);
    let running = bench.start_with(Settings { schedule, ..bench.settings() }).await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    running.until_deliveries(&webhook, "failed", 1).await;
    assert_eq!(receiver.told().len(), 3, "at once, and after each of two pauses");
    let path = format!("/webhooks/{}", id(&webhook));
    let dead = running.until(&path, |webhook| webhook["state"] == "disabled").await;
    assert!(dead["disabled_reason"].as_str().unwrap().contains("nothing got through"), "{dead}");
    receiver.answer(Answer::Status(200));
    running.post(&format!("{path}/enable"), "e", json!({ "reason": "mended" })).await;
    let since = json!({ "since": "2020-01-01T00:00:00Z", "reason": "it was down" });
    let (status, again) = running.post(&format!("{path}/redeliver"), "r", since).await;
    assert_eq!((status.as_u16(), again), (200, json!({ "redelivered": 1 })));
    running.until_deliveries(&webhook, "delivered", 1).await;
    running.service.shutdown().await;
}

async fn what_waits_says_for_what_and_has_a_time_only_if_it_is_tried_then(bench: Bench) {
    let receiver = Receiver::answering(Answer::Hang).await;
    // It is not tried a second time before the test is over.
    let schedule = Schedule::of(vec![Duration::from_hours(1); 2]);
    let running = bench.start_with(Settings { schedule, ..bench.settings() }).await;
    let webhook = running.register(&receiver.url()).await;
    let path = format!("/webhooks/{}", id(&webhook));
    let deliveries = format!("{path}/deliveries");
    bench.log.place("o1").await;
    receiver.until(1).await;
    let trying = running.get(&deliveries).await["items"][0].clone();
    // The first attempt takes until its deadline; a slow machine may look after it.
    if trying["attempts"] == 0 {
        assert_eq!(
            (&trying["waits_for"], &trying["next_attempt_at"]),
            (&json!("attempt"), &Value::Null)
        );
    }
    let tried = running.until(&deliveries, |page| page["items"][0]["waits_for"] == "time").await;
    assert!(tried["items"][0]["next_attempt_at"].is_string(), "{tried}");
    bench.log.confirm("o1").await;
    let next =
        running.until(&deliveries, |page| page["items"].as_array().unwrap().len() == 2).await;
    assert_eq!(next["items"][0]["waits_for"], "earlier", "{next}");
    let why = json!({ "reason": "a pause" });
    running.post(&format!("{path}/disable"), "d", why.clone()).await;
    let delivery = tried["items"][0]["id"].as_i64().unwrap();
    let again = format!("{deliveries}/{delivery}/redeliver");
    let (status, again) = running.post(&again, "r", why).await;
    assert_eq!(status.as_u16(), 200);
    assert_eq!((&again["waits_for"], &again["next_attempt_at"]), (&json!("enabled"), &Value::Null));
    let all = running.get(&deliveries).await;
    for item in all["items"].as_array().unwrap() {
        assert_eq!(
            (&item["waits_for"], &item["next_attempt_at"]),
            (&json!("enabled"), &Value::Null)
        );
    }
    running.service.shutdown().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::on_sqlite();
    let elsewhere = Receiver::answering(Answer::Status(200)).await;
    let receiver = Receiver::answering(Answer::Redirect(elsewhere.url())).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    let log = attempts(&running, &webhook).await;
    assert_eq!(log[0]["status"], 307);
    assert_eq!(log[0]["error"], "redirects are not followed");
    assert_eq!(elsewhere.told().len(), 0);
    running.service.shutdown().await;
}

#[tokio::test]
async fn an_answer_without_end_is_taken_for_its_status_and_not_read() {
    let bench = Bench::on_sqlite();
    let running = bench.start().await;
    for slowly in [true, false] {
        let endless = raw("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b'a', slowly);
        let webhook = running.register(&format!("http://{}/", endless.await)).await;
        bench.log.place(&format!("o-{slowly}")).await;
        running.until_deliveries(&webhook, "delivered", 1).await;
    }
    // A head without end is no answer.
    let headless = raw("HTTP/1.1 200 OK\r\nx: ", b'a', false).await;
    let webhook = running.register(&format!("http://{headless}/")).await;
    bench.log.place("o3").await;
    let log = attempts(&running, &webhook).await;
    assert_eq!(log[0]["status"], Value::Null, "{log:?}");
    running.service.shutdown().await;
}
