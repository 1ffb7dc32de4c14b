//! Done twice under one key is done once, whatever was done between.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use storage::{Durability, Store};

use crate::bench::{Bench, Running, id, on_both};
use crate::receiver::{Answer, Receiver};
use crate::recorded::Recorded;

on_both! {
    a_secret_is_drawn_once_under_a_key_also_after_another_key,
    what_a_repeat_says_of_a_secret_is_the_one_it_drew_or_none,
    a_repeat_turns_nothing_on_or_off_again,
    a_delivery_is_told_again_once_under_a_key_and_the_log_says_which,
    what_came_after_the_first_time_is_not_marked_by_its_repeat,
    what_was_cut_off_after_it_was_recorded_is_done_by_its_repeat_once,
    a_key_stands_for_one_request_whatever_it_is_about,
    what_was_drawn_and_registered_before_answers_were_kept_is_known,
}

/// With what was recorded.
async fn start(bench: &Bench) -> (Running, Arc<Recorded>) {
    let recorded = Recorded::new();
    let running = bench.start_recording(Arc::clone(&recorded) as _).await;
    running.until_live().await;
    (running, recorded)
}

/// An answer, and whether it is that of a request before.
async fn ask(running: &Running, path: &str, key: &str, body: Value) -> (u16, Value, bool) {
    let request = Request::post(path).header("idempotency-key", key);
    let request = request.header("content-type", "application/json");
    let response = running.send(request.body(Body::from(body.to_string())).unwrap()).await;
    let status = response.status().as_u16();
    let is_again = response.headers().contains_key("idempotency-replayed");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default(), is_again)
}

/// A repeat has this answer and says what it is.
async fn repeats(running: &Running, path: &str, key: &str, body: Value, first: &Value) {
    let (_, again, is_again) = ask(running, path, key, body).await;
    assert!(is_again, "{path} {key}: {again}");
    assert_eq!(again, *first, "{path} {key}");
}

async fn is_reused(running: &Running, path: &str, key: &str, body: Value) {
    let (status, problem, _) = ask(running, path, key, body).await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{path}");
}

async fn a_secret_is_drawn_once_under_a_key_also_after_another_key(bench: Bench) {
    let (running, recorded) = start(&bench).await;
    let webhook = running.register("http://127.0.0.1:9/").await;
    let path = format!("/webhooks/{}/rotate-secret", id(&webhook));
    let why = json!({ "reason": "it leaked" });
    let (status, first, _) = ask(&running, &path, "k1", why.clone()).await;
    assert_eq!(status, 200, "{first}");
    repeats(&running, &path, "k1", why.clone(), &first).await;
    let (_, second, is_again) = ask(&running, &path, "k2", why.clone()).await;
    assert!(!is_again && second["secret"] != first["secret"]);
    repeats(&running, &path, "k2", why.clone(), &second).await;
    repeats(&running, &path, "k1", why, &first).await;
    is_reused(&running, &path, "k1", json!({ "reason": "it leaked", "overlap_s": 0 })).await;
    is_reused(&running, &path, "k1", json!({ "reason": "another" })).await;
    let rotated = "rotate_webhook_secret it leaked";
    assert_eq!(recorded.actions(), ["register_webhook go live", rotated, rotated]);
    running.service.shutdown().await;
}

async fn what_a_repeat_says_of_a_secret_is_the_one_it_drew_or_none(bench: Bench) {
    let (running, _) = start(&bench).await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "reason": "go live" });
    let (status, webhook, _) = ask(&running, "/webhooks", "r", wanted.clone()).await;
    assert_eq!(status, 201);
    let path = format!("/webhooks/{}/rotate-secret", id(&webhook));
    let (_, first, _) = ask(&running, &path, "k1", json!({ "reason": "a" })).await;
    repeats(&running, "/webhooks", "r", wanted.clone(), &webhook).await;
    let at_once = json!({ "reason": "b", "overlap_s": 0 });
    let (_, second, _) = ask(&running, &path, "k2", at_once.clone()).await;
    for (path, key, body, first) in [
        ("/webhooks", "r", wanted, &webhook),
        (path.as_str(), "k1", json!({ "reason": "a" }), &first),
    ] {
        let mut without = first.clone();
        without["secret"] = Value::Null;
        repeats(&running, path, key, body, &without).await;
    }
    repeats(&running, &path, "k2", at_once, &second).await;
    let kept = bench.everything_kept().await;
    for told in [&webhook, &first, &second] {
        let secret = told["secret"].as_str().unwrap();
        assert!(!kept.contains(secret.trim_start_matches("whsec_")), "kept in clear");
    }
    running.service.shutdown().await;
}

async fn a_repeat_turns_nothing_on_or_off_again(bench: Bench) {
    let (running, recorded) = start(&bench).await;
    let webhook = running.register("http://127.0.0.1:9/").await;
    let here = format!("/webhooks/{}", id(&webhook));
    let (off, on) = (format!("{here}/disable"), format!("{here}/enable"));
    let why = json!({ "reason": "it is down" });
    let (_, disabled, _) = ask(&running, &off, "d", why.clone()).await;
    let (_, enabled, _) = ask(&running, &on, "e", why.clone()).await;
    assert_eq!((&disabled["state"], &enabled["state"]), (&json!("disabled"), &json!("enabled")));
    for _ in 0..2 {
        repeats(&running, &off, "d", why.clone(), &disabled).await;
        assert_eq!(running.get(&here).await["state"], "enabled");
        repeats(&running, &on, "e", why.clone(), &enabled).await;
    }
    let (_, as_it_is, _) = ask(&running, &on, "e2", why.clone()).await;
    ask(&running, &off, "d2", why.clone()).await;
    repeats(&running, &on, "e2", why, &as_it_is).await;
    assert_eq!(running.get(&here).await["state"], "disabled", "also where it had no effect");
    let done = [
        "register_webhook go live",
        "disable_webhook it is down",
        "enable_webhook it is down",
        "disable_webhook it is down",
    ];
    assert_eq!(recorded.actions(), done);
    running.service.shutdown().await;
}

async fn a_delivery_is_told_again_once_under_a_key_and_the_log_says_which(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(200)).await;
    let (running, recorded) = start(&bench).await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    bench.log.place("o2").await;
    let delivered = running.until_deliveries(&webhook, "delivered", 2).await;
    let [two, one] = [0, 1].map(|n| delivered["items"][n]["id"].as_i64().unwrap());
    let path = |number: i64| format!("/webhooks/{}/deliveries/{number}/redeliver", id(&webhook));
    let why = json!({ "reason": "it was lost" });
    let (status, first, _) = ask(&running, &path(one), "r1", why.clone()).await;
    assert_eq!(status, 200, "{first}");
    is_reused(&running, &path(two), "r1", why.clone()).await;
    running.until_deliveries(&webhook, "delivered", 2).await;
    ask(&running, &path(one), "r2", why.clone()).await;
    running.until_deliveries(&webhook, "delivered", 2).await;
    repeats(&running, &path(one), "r1", why, &first).await;
    running.until_deliveries(&webhook, "delivered", 2).await;
    let since = json!({ "since": "2020-01-01T00:00:00Z", "reason": "it was down" });
    let all = format!("/webhooks/{}/redeliver", id(&webhook));
    let (_, none, _) = ask(&running, &all, "r3", since.clone()).await;
    repeats(&running, &all, "r3", since, &none).await;
    bench.log.confirm("o1").await;
    receiver.until(5).await;
    let again = "order.placed of o1".to_owned();
    assert_eq!(receiver.whats()[2..4], [again.clone(), again]);
    let told = format!("redeliver_webhook {one} it was lost");
    assert_eq!(
        recorded.actions()[1..],
        [told.clone(), told, "redeliver_webhook it was down".into()]
    );
    running.service.shutdown().await;
}

async fn what_came_after_the_first_time_is_not_marked_by_its_repeat(bench: Bench) {
    let (running, recorded) = start(&bench).await;
    bench.log.place_for("o1", Some("c1")).await;
    bench.log.confirm("o1").await;
    let unread = |count: usize| {
        move |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == count)
    };
    let path = "/notices?customer_id=c1&unread=true";
    running.until(path, unread(1)).await;
    let all = json!({ "customer_id": "c1", "reason": "read out" });
    let (_, marked, _) = ask(&running, "/notices/read", "k", all.clone()).await;
    assert_eq!(marked["marked"], 1);
    bench.log.ship("o1").await;
    let page = running.until(path, unread(1)).await;
    repeats(&running, "/notices/read", "k", all, &marked).await;
    running.until(path, unread(1)).await;
    is_reused(&running, "/notices/read", "k", json!({ "customer_id": "c2" })).await;
    let one = format!("/notices/{}/read", page["items"][0]["id"].as_str().unwrap());
    is_reused(&running, &one, "k", json!({})).await;
    let (_, read, _) = ask(&running, &one, "l", json!({})).await;
    repeats(&running, &one, "l", json!({}), &read).await;
    assert_eq!(recorded.actions(), ["mark_notices read out"]);
    running.service.shutdown().await;
}

async fn what_was_cut_off_after_it_was_recorded_is_done_by_its_repeat_once(bench: Bench) {
    let (running, recorded) = start(&bench).await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "reason": "go live" });
    recorded.lose_answers(true);
    let (status, _, _) = ask(&running, "/webhooks", "r", wanted.clone()).await;
    assert_eq!(status, 503);
    recorded.lose_answers(false);
    let (status, webhook, is_again) = ask(&running, "/webhooks", "r", wanted).await;
    assert_eq!((status, is_again), (201, false), "{webhook}");
    let path = format!("/webhooks/{}/rotate-secret", id(&webhook));
    let why = json!({ "reason": "it leaked" });
    recorded.lose_answers(true);
    assert_eq!(ask(&running, &path, "k", why.clone()).await.0, 503);
    running.service.kill().await;
    recorded.lose_answers(false);
    let running = bench.start_recording(Arc::clone(&recorded) as _).await;
    let (_, rotated, is_again) = ask(&running, &path, "k", why.clone()).await;
    assert!(!is_again && rotated["secret"] != webhook["secret"], "{rotated}");
    running.service.kill().await;
    let running = bench.start_recording(Arc::clone(&recorded) as _).await;
    repeats(&running, &path, "k", why, &rotated).await;
    let done = ["register_webhook go live", "rotate_webhook_secret it leaked"];
    assert_eq!(recorded.actions(), done, "each once");
    running.service.shutdown().await;
}

async fn a_key_stands_for_one_request_whatever_it_is_about(bench: Bench) {
    let (running, _) = start(&bench).await;
    let why = json!({ "reason": "go live" });
    let one = running.register("http://127.0.0.1:9/1").await;
    let two = running.register("http://127.0.0.1:9/2").await;
    let off = |webhook: &Value| format!("/webhooks/{}/disable", id(webhook));
    let (status, _, _) = ask(&running, &off(&one), "k", why.clone()).await;
    assert_eq!(status, 200);
    is_reused(&running, &off(&two), "k", why.clone()).await;
    let wanted = json!({ "url": "http://127.0.0.1:9/3", "reason": "go live" });
    is_reused(&running, "/webhooks", "k", wanted).await;
    // What is deleted is forgotten, and its keys are not free.
    let gone = format!("/webhooks/{}?reason=gone", id(&one));
    for replayed in [false, true] {
        let request = Request::delete(&gone).header("idempotency-key", "d").body(Body::empty());
        let response = running.send(request.unwrap()).await;
        let is_again = response.headers().contains_key("idempotency-replayed");
        assert_eq!((response.status().as_u16(), is_again), (204, replayed));
    }
    assert_eq!(ask(&running, &off(&one), "k", why.clone()).await.0, 404);
    is_reused(&running, &off(&two), "k", why).await;
    let store = Store::open(&bench.location(), Durability::Full, 1).await.unwrap();
    let where_it_was = "SELECT count(*) FROM done_requests WHERE answer LIKE '%127.0.0.1:9/1%'";
    let kept: i64 = store.reader().await.unwrap().query(where_it_was).scalar().await.unwrap();
    assert_eq!(kept, 0);
    store.close().await;
    running.service.shutdown().await;
}

/// As a database of before has it: without what was done.
async fn what_was_drawn_and_registered_before_answers_were_kept_is_known(bench: Bench) {
    let (running, recorded) = start(&bench).await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "reason": "go live" });
    let (_, webhook, _) = ask(&running, "/webhooks", "r", wanted.clone()).await;
    let forget = async || {
        let store = Store::open(&bench.location(), Durability::Full, 1).await.unwrap();
        let mut forgetting = store.begin().await.unwrap();
        for statement in
            ["DELETE FROM done_requests", "UPDATE endpoints SET previous_drawn_by = NULL"]
        {
            forgetting.query(statement).execute().await.unwrap();
        }
        forgetting.commit().await.unwrap();
        store.close().await;
    };
    forget().await;
    let of_before = json!({ "url": "http://127.0.0.1:9/" });
    repeats(&running, "/webhooks", "r", of_before.clone(), &webhook).await;
    is_reused(&running, "/webhooks", "r", json!({ "url": "http://127.0.0.1:10/" })).await;
    let path = format!("/webhooks/{}/rotate-secret", id(&webhook));
    let why = json!({ "reason": "it leaked" });
    let (_, rotated, _) = ask(&running, &path, "k", why.clone()).await;
    forget().await;
    repeats(&running, &path, "k", why, &rotated).await;
    let (status, repeated, _) = ask(&running, "/webhooks", "r", of_before).await;
    assert_eq!((status, &repeated["secret"]), (201, &Value::Null), "the newer one is not its own");
    assert_eq!(recorded.actions().len(), 2);
    running.service.shutdown().await;
}
