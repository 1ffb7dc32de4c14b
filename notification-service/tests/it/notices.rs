//! What customers find of their orders, and what of it they have read.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use event_store::EventLog as _;
use messaging::embedded::EmbeddedFeed;
use messaging::feed::Freshness;
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::position::{PositionToken, WantedPosition};

use crate::bench::{Bench, Running, on_both};
use crate::silenced::Silenced;

on_both! {
    a_customer_finds_what_happened_to_their_orders_until_they_have_read_it,
    all_up_to_one_are_read_at_once,
    what_was_found_and_read_stays_so_over_a_crash,
    who_was_erased_finds_nothing,
    a_list_says_how_far_the_log_was_read_and_whether_it_may_be_old,
    what_can_t_be_asked_for_is_refused,
}

async fn until(running: &Running, query: &str, count: usize) -> Vec<Value> {
    let path = format!("/notices?{query}");
    let there = |page: &Value| page["items"].as_array().unwrap().len() == count;
    running.until(&path, there).await["items"].as_array().unwrap().clone()
}

fn types(notices: &[Value]) -> Vec<&str> {
    notices.iter().map(|notice| notice["event_type"].as_str().unwrap()).collect()
}

/// Orders of two customers and of a guest.
async fn orders(bench: &Bench) {
    for (order, customer) in [("o1", Some("c1")), ("o2", Some("c2")), ("g1", None)] {
        bench.log.place_for(order, customer).await;
        bench.log.confirm(order).await;
    }
    bench.log.ship("o1").await;
    bench.log.complete("o1").await;
}

async fn a_customer_finds_what_happened_to_their_orders_until_they_have_read_it(bench: Bench) {
    let running = bench.start_live().await;
    orders(&bench).await;
    let found = until(&running, "customer_id=c1&unread=true", 2).await;
    assert_eq!(types(&found), ["parcel.shipped", "order.confirmed"], "newest first, and no more");
    assert_eq!(found[0]["data"]["tracking"], "RM1");
    assert_eq!(types(&until(&running, "customer_id=c2", 1).await), ["order.confirmed"]);
    let path = format!("/notices/{}/read", found[0]["id"].as_str().unwrap());
    let (status, read) = running.post(&path, "k", json!({})).await;
    assert_eq!(status, 200, "{read}");
    let (_, again) = running.post(&path, "l", json!({})).await;
    assert_eq!(again["read_at"], read["read_at"], "it is read since then");
    assert_eq!(types(&until(&running, "customer_id=c1&unread=true", 1).await), ["order.confirmed"]);
    assert_eq!(until(&running, "customer_id=c1", 2).await[0]["read_at"], read["read_at"]);
    let page = running.get("/notices?customer_id=c1&limit=1").await;
    let next = page["next"].as_str().unwrap();
    let rest = running.get(&format!("/notices?customer_id=c1&limit=1&cursor={next}")).await;
    assert_eq!(rest["items"][0]["event_type"], "order.confirmed");
    assert_eq!(rest["next"], Value::Null);
    running.service.shutdown().await;
}

async fn all_up_to_one_are_read_at_once(bench: Bench) {
    let running = bench.start_live().await;
    orders(&bench).await;
    until(&running, "customer_id=c2", 1).await;
    let found = until(&running, "customer_id=c1", 2).await;
    let up_to = json!({ "customer_id": "c1", "up_to": found[1]["id"] });
    let (_, marked) = running.post("/notices/read", "k", up_to).await;
    assert_eq!(marked["marked"], 1, "{marked}");
    assert_eq!(types(&until(&running, "customer_id=c1&unread=true", 1).await), ["parcel.shipped"]);
    let (_, marked) = running.post("/notices/read", "l", json!({ "customer_id": "c1" })).await;
    assert_eq!(marked["marked"], 1);
    until(&running, "customer_id=c1&unread=true", 0).await;
    until(&running, "customer_id=c2&unread=true", 1).await;
    let another = json!({ "customer_id": "c2", "up_to": found[0]["id"] });
    let (_, problem) = running.post("/notices/read", "m", another).await;
    assert_eq!(problem["code"], "notice_not_found", "of another customer");
    running.service.shutdown().await;
}

async fn what_was_found_and_read_stays_so_over_a_crash(bench: Bench) {
    let running = bench.start_live().await;
    orders(&bench).await;
    let found = until(&running, "customer_id=c1", 2).await;
    let path = format!("/notices/{}/read", found[1]["id"].as_str().unwrap());
    running.post(&path, "k", json!({})).await;
    bench.log.deliver("o1").await;
    // Perhaps before it is noted.
    running.service.kill().await;
    let running = bench.start().await;
    let unread = until(&running, "customer_id=c1&unread=true", 2).await;
    assert_eq!(types(&unread), ["parcel.delivered", "parcel.shipped"]);
    until(&running, "customer_id=c1", 3).await;
    running.service.shutdown().await;
}

async fn who_was_erased_finds_nothing(bench: Bench) {
    let running = bench.start_live().await;
    orders(&bench).await;
    until(&running, "customer_id=c1", 2).await;
    bench.log.append("CustomerErased", json!({ "customer_id": "c1" })).await;
    until(&running, "customer_id=c1", 0).await;
    until(&running, "customer_id=c2", 1).await;
    running.service.shutdown().await;
}

/// What a list says of itself: its position, whether it may be old, and why.
async fn said(running: &Running) -> (PositionToken, bool, Value) {
    let request = Request::get("/notices?customer_id=c1").body(Body::empty()).unwrap();
    let response = running.send(request).await;
    let position = response.headers()["docket-position"].to_str().unwrap().parse();
    let Ok(WantedPosition::Token(position)) = position else { panic!("{position:?}") };
    let is_old = response.headers().get("docket-stale").is_some_and(|is| is == "true");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    (position, is_old, body["stale"]["cause"].clone())
}

async fn a_list_says_how_far_the_log_was_read_and_whether_it_may_be_old(bench: Bench) {
    let feed = Silenced::over(Arc::new(EmbeddedFeed::new(Arc::clone(&bench.log.events) as _)));
    let over = Arc::clone(&feed) as _;
    let running = bench.start_over(over, bench.settings(), clock::system()).await;
    running.until_live().await;
    orders(&bench).await;
    until(&running, "customer_id=c1", 2).await;
    let (position, is_old, why) = said(&running).await;
    let log = bench.log.events.identity();
    assert_eq!((&*position.log, position.epoch), (&*log.log, log.epoch));
    assert!(position.position > 0 && position.position <= bench.log.head(), "{position}");
    assert_eq!((is_old, why), (false, Value::Null));
    feed.hears(Freshness::Unknown);
    let (_, is_old, why) = said(&running).await;
    let unheard = "the log is not heard: it is not known what happened since";
    assert_eq!((is_old, why), (true, unheard.into()));
    feed.hears(Freshness::Known);
    assert!(!said(&running).await.1);
    running.service.shutdown().await;
}

async fn what_can_t_be_asked_for_is_refused(bench: Bench) {
    let running = bench.start_live().await;
    for (path, code) in [
        ("/notices", "invalid_query"),
        ("/notices?customer_id=", "invalid_query"),
        ("/notices?customer_id=c1&unread=maybe", "invalid_query"),
        ("/notices?customer_id=c%00", "invalid_query"),
        ("/notices?customer_id=c1&limit=0", "invalid_limit"),
    ] {
        let (_, problem) = running.ask(axum::http::Method::GET, path, None, None).await;
        assert_eq!(problem["code"], code, "{path}");
    }
    for (path, body, code) in [
        ("/notices/read", json!({}), "invalid_body"),
        ("/notices/read", json!({ "customer_id": "c1", "all": true }), "invalid_body"),
        ("/notices/none/read", json!({}), "notice_not_found"),
    ] {
        let (_, problem) = running.post(path, "k", body).await;
        assert_eq!(problem["code"], code, "{path}");
    }
    running.service.shutdown().await;
}
