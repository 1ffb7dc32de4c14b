//! What people see and do.

use axum::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};
use service_kit::access::Access;

use crate::bench::{Bench, Running, on_both};

/// An order whose capture was refused for good.
async fn in_need(bench: &Bench) -> Running {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_capture_refused", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    bench.shop.ship("o1").await;
    running.until_saga("order-o1", "needs_attention", "capture_payment").await;
    running
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

on_both! {
    a_saga_in_need_says_what_failed_and_what_can_be_done,
    a_retry_makes_the_next_attempt_once_however_often_it_is_asked,
    a_resolved_saga_goes_on_to_its_end,
    what_cannot_be_settled_by_hand_is_not_resolved,
    actions_need_a_key_a_saga_and_a_reason,
    lists_come_in_pages_and_are_filtered,
    what_cannot_be_read_is_a_problem,
    a_read_waits_for_the_position_that_it_is_asked_for,
    the_api_describes_itself,
}

async fn a_saga_in_need_says_what_failed_and_what_can_be_done(bench: Bench) {
    let running = in_need(&bench).await;
    let told = running.explain("order-o1").await;
    assert_eq!(told["actions"], json!(["retry", "resolve"]));
    assert_eq!(told["last_error"], "capture_refused");
    assert_eq!(told["attempts"], 1);
    let (_, listed) = running.get("/sagas?state=needs_attention&kind=order").await;
    assert_eq!(listed["items"][0]["id"], "order-o1");
}

async fn a_retry_makes_the_next_attempt_once_however_often_it_is_asked(bench: Bench) {
    let running = in_need(&bench).await;
    let reason = json!({ "reason": "the bank says it works now" });
    let first = running.post("/sagas/order-o1/retry", Some("k1"), reason.clone()).await;
    assert_eq!(first.0, StatusCode::OK, "{first:?}");
    assert_eq!(first.1["state"], "running");
    running.until_saga("order-o1", "needs_attention", "capture_payment").await;
    let again = running.post("/sagas/order-o1/retry", Some("k1"), reason).await;
    assert_eq!(again, first);
    let told = running.explain("order-o1").await;
    assert_eq!(told["attempts"], 2, "{told}");
    let other = json!({ "reason": "once more" });
    let other = running.post("/sagas/order-o1/retry", Some("k1"), other).await;
    assert_eq!(code(&other), (422, "idempotency_key_reused"));
    let told = other.1["detail"].as_str().unwrap();
    assert!(told.contains("retry order-o1: the bank says it works now"), "{told}");
    assert!(told.contains("on 20") && told.contains("Draw a new key"), "{told}");
}

async fn a_resolved_saga_goes_on_to_its_end(bench: Bench) {
    let running = in_need(&bench).await;
    let reason = json!({ "reason": "paid in cash", "occurred_at": "2010-12-01T08:26:00Z" });
    let path = "/sagas/order-o1/resolve";
    let first = running.headers(path, "k1", reason.clone()).await;
    assert!(!first.contains_key("idempotency-replayed"), "it was done just now");
    let again = running.headers(path, "k1", reason.clone()).await;
    assert_eq!(again["idempotency-replayed"], "true", "it was done before");
    assert_eq!(first["etag"], again["etag"]);
    assert_eq!(first["docket-position"], again["docket-position"]);
    let done = running.post(path, Some("k1"), reason.clone()).await;
    assert_eq!((done.0, &done.1["state"]), (StatusCode::OK, &json!("running")));
    assert_eq!(first["etag"].to_str().unwrap(), format!("\"{}\"", done.1["version"]));
    for other in [
        json!({ "reason": "paid in cash" }),
        json!({ "reason": "paid in cash", "settlement": "waived", "occurred_at": "2010-12-01T08:26:00Z" }),
    ] {
        let other = running.post(path, Some("k1"), other).await;
        assert_eq!(code(&other), (422, "idempotency_key_reused"));
    }
    running.until_saga("order-o1", "waiting", "complete_order").await;
    let late = running.post("/sagas/order-o1/resolve", Some("k2"), reason).await;
    assert_eq!(code(&late), (422, "saga_not_in_attention"));
    running.orchestrator.kill().await;
    let running = bench.start().await;
    bench.shop.deliver("o1").await;
    running.until_saga("order-o1", "completed", "complete_order").await;
    assert_eq!(running.explain("order-o1").await["resolved"], "paid in cash");
}

async fn what_cannot_be_settled_by_hand_is_not_resolved(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_unknown", 2).await;
    running.until_unknown("authorize_payment").await;
    bench.clock.advance(TimeDelta::minutes(6));
    running.until_saga("order-o1", "needs_attention", "authorize_payment").await;
    assert_eq!(running.explain("order-o1").await["actions"], json!(["retry"]));
    let reason = json!({ "reason": "never mind" });
    let refused = running.post("/sagas/order-o1/resolve", Some("k"), reason.clone()).await;
    assert_eq!(code(&refused), (422, "saga_not_resolvable"));
    let detail = refused.1["detail"].as_str().unwrap();
    assert!(detail.contains("authorize_payment"), "{detail}");
    assert!(detail.contains("is asked until it tells"), "{detail}");
    let typo = json!({ "reason": "never mind", "settlement": "somehow" });
    let refused = running.post("/sagas/order-o1/resolve", Some("k2"), typo).await;
    assert_eq!(code(&refused), (400, "invalid_body"));
}

async fn actions_need_a_key_a_saga_and_a_reason(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 2).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    let reason = json!({ "reason": "why not" });
    let without = running.post("/sagas/order-o1/resolve", None, reason.clone()).await;
    assert_eq!(code(&without), (400, "idempotency_key_missing"));
    let nobody = running.post("/sagas/order-x/resolve", Some("k"), reason.clone()).await;
    assert_eq!(code(&nobody), (404, "saga_not_found"));
    for action in ["retry", "resolve"] {
        let path = format!("/sagas/order-o1/{action}");
        let groundless = running.post(&path, Some("k"), json!({})).await;
        assert_eq!(code(&groundless), (400, "invalid_body"), "{action}");
        assert_eq!(groundless.1["errors"][0]["pointer"], "/reason");
    }
    let unasked = running.post("/sagas/order-o1/retry", Some("k"), reason).await;
    assert_eq!(code(&unasked), (422, "saga_not_in_attention"));
    let detail = unasked.1["detail"].as_str().unwrap();
    assert!(detail.ends_with("its state is waiting"), "{detail}");
    assert_eq!(nobody.1["detail"], "there is no saga `order-x`");
}

async fn lists_come_in_pages_and_are_filtered(bench: Bench) {
    let running = bench.start().await;
    for number in 0..5 {
        let method = if number == 3 { "pm_declined" } else { "pm_ok" };
        bench.shop.place(&format!("o{number}"), method, 1).await;
    }
    running.until_saga("order-o3", "compensated", "finish").await;
    running.until_saga("order-o4", "waiting", "complete_order").await;
    let mut seen = Vec::new();
    let mut path = "/sagas?limit=2".to_owned();
    loop {
        let (_, page) = running.get(&path).await;
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= 2);
        seen.extend(items.into_iter().map(|saga| saga["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/sagas?limit=2&cursor={next}");
    }
    let (_, page) = running.get("/sagas?limit=1").await;
    let next = page["next"].as_str().unwrap();
    let elsewhere = running.get(&format!("/sagas?limit=1&state=running&cursor={next}")).await;
    assert_eq!(
        code(&elsewhere),
        (400, "invalid_cursor"),
        "it belongs to the list with its filters"
    );
    assert_eq!(seen, ["order-o0", "order-o1", "order-o2", "order-o3", "order-o4"]);
    let (_, undone) = running.get("/sagas?state=compensated").await;
    assert_eq!(undone["items"].as_array().unwrap().len(), 1);
    let (_, of_order) = running.get("/sagas?order_id=o2&kind=order").await;
    assert_eq!(of_order["items"][0]["order_id"], "o2");
    let (_, none) = running.get("/sagas?order_id=o2&kind=return").await;
    assert_eq!(none, json!({ "items": [], "next": null }));
}

async fn what_cannot_be_read_is_a_problem(bench: Bench) {
    let running = bench.start().await;
    for (path, expected) in [
        ("/sagas?state=asleep", (400, "invalid_query")),
        ("/sagas?statee=running", (400, "invalid_query")),
        ("/sagas/order-x?min=1", (400, "invalid_query")),
        ("/sagas?limit=0", (400, "invalid_limit")),
        ("/sagas?cursor=%25", (400, "invalid_cursor")),
        ("/sagas?min_position=soon", (400, "invalid_query")),
        ("/sagas?min_position=other-1-1", (409, "position_of_another_history")),
        ("/sagas/order-x", (404, "saga_not_found")),
        ("/sagas/order-x/explain", (404, "saga_not_found")),
    ] {
        let answer = running.get(path).await;
        assert_eq!(code(&answer), expected, "{path}");
    }
}

async fn a_read_waits_for_the_position_that_it_is_asked_for(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    let (status, saga) = running.get("/sagas/order-o1?min_position=3").await;
    assert_eq!((status, &saga["id"]), (StatusCode::OK, &json!("order-o1")));
}

async fn the_api_describes_itself(bench: Bench) {
    let running = bench.start().await;
    let described = running.orchestrator.router(&Access::open()).into_openapi();
    let described = serde_json::to_value(described).unwrap();
    let paths: Vec<&String> = described["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/sagas",
            "/sagas/{id}",
            "/sagas/{id}/explain",
            "/sagas/{id}/resolve",
            "/sagas/{id}/retry"
        ]
    );
    let schemas = described["components"]["schemas"].as_object().unwrap();
    for name in ["SagaItem", "SagaState", "SagaKind", "SagaAction", "ExplainedSaga", "ActedSaga"] {
        assert!(schemas.contains_key(name), "{name} in {:?}", schemas.keys());
    }
    assert_eq!(schemas["SagaState"]["enum"][4], "needs_attention");
}
