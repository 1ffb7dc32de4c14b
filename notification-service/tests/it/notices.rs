//! What customers find of their orders, and what of it they have read.

use serde_json::{Value, json};

use crate::bench::{Bench, Running, on_both};

on_both! {
    a_customer_finds_what_happened_to_their_orders_until_they_have_read_it,
    all_up_to_one_are_read_at_once,
    what_was_found_and_read_stays_so_over_a_crash,
    who_was_erased_finds_nothing,
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
