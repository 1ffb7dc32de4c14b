//! The API: registering, looking, and what is refused.

use axum::http::Method;
use serde_json::{Value, json};

use crate::bench::{Bench, id, on_both};

on_both! {
    a_repeat_under_the_same_key_gets_the_same_webhook,
    what_can_t_be_registered_is_refused_with_a_pointer,
    there_are_at_most_fifty_webhooks,
    the_list_goes_on_where_the_page_before_ended,
}

async fn a_repeat_under_the_same_key_gets_the_same_webhook(bench: Bench) {
    let running = bench.start().await;
    let body = json!({ "url": "http://127.0.0.1:9/", "description": "ERP", "reason": "go live" });
    let (first, webhook) = running.post("/webhooks", "k", body.clone()).await;
    let (again, repeated) = running.post("/webhooks", "k", body).await;
    assert_eq!((first.as_u16(), again.as_u16()), (201, 201));
    assert_eq!(webhook, repeated);
    assert!(webhook["secret"].as_str().unwrap().starts_with("whsec_"));
    let another = json!({ "url": "http://127.0.0.1:10/", "reason": "go live" });
    let (status, problem) = running.post("/webhooks", "k", another).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("idempotency_key_reused")));
    let shown = running.get(&format!("/webhooks/{}", id(&webhook))).await;
    assert_eq!(shown["secret"], Value::Null, "a secret is told once");
    assert_eq!(shown["description"], "ERP");
    let (status, problem) = running
        .ask(Method::POST, "/webhooks", None, Some(json!({ "url": "https://a.example" })))
        .await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("idempotency_key_missing")));
    running.service.shutdown().await;
}

async fn what_can_t_be_registered_is_refused_with_a_pointer(bench: Bench) {
    let running = bench.start().await;
    let here = "http://127.0.0.1:9/";
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({ "url": "shop.example", "reason": "go live" }), "/url"),
        (json!({ "url": "https://ada:secret@127.0.0.1/", "reason": "go live" }), "/url"),
        (json!({ "url": here, "events": ["order.plcaed"], "reason": "go live" }), "/events"),
        (
            json!({ "url": here, "events": vec!["order.placed"; 101], "reason": "go live" }),
            "/events",
        ),
        (json!({ "url": here, "evnts": [] }), "/evnts"),
        (json!({ "url": here, "description": "a\nb" }), "/description"),
        (json!({ "url": here }), "/reason"),
        (json!({ "url": here, "reason": null }), "/reason"),
        (json!({ "url": here, "reason": " " }), "/reason"),
    ] {
        let (status, problem) = running.post("/webhooks", "k", body.clone()).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("invalid_body")), "{body}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    for (method, path, code) in [
        (Method::GET, "/webhooks/none", "webhook_not_found"),
        (Method::GET, "/webhooks/none/deliveries", "webhook_not_found"),
        (Method::GET, "/webhooks/none/deliveries/1", "webhook_not_found"),
        (Method::DELETE, "/webhooks/none", "webhook_not_found"),
        (Method::GET, "/webhooks/none/deliveries/x", "invalid_path"),
    ] {
        let (_, problem) = running.ask(method, path, Some("k"), None).await;
        assert_eq!(problem["code"], code, "{path}");
    }
    let webhook = running.register(here).await;
    let path = format!("/webhooks/{}", id(&webhook));
    for query in ["", "?reason=", "?reason=%20"] {
        let path = format!("{path}{query}");
        let (status, problem) = running.ask(Method::DELETE, &path, Some("d"), None).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("invalid_query")), "{path}");
        assert_eq!(problem["errors"][0]["pointer"], "reason", "{problem}");
    }
    assert_eq!(running.get(&path).await["id"], webhook["id"], "it is still there");
    let path = format!("/webhooks/{}/deliveries/7", id(&webhook));
    let (_, problem) = running.ask(Method::GET, &path, None, None).await;
    assert_eq!(problem["code"], "delivery_not_found");
    running.service.shutdown().await;
}

async fn there_are_at_most_fifty_webhooks(bench: Bench) {
    let running = bench.start().await;
    for n in 0..50 {
        running.register(&format!("http://127.0.0.1:9/{n}")).await;
    }
    let (status, problem) = running
        .post("/webhooks", "k", json!({ "url": "http://127.0.0.1:9/50", "reason": "one more" }))
        .await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("too_many_webhooks")));
    running.service.shutdown().await;
}

async fn the_list_goes_on_where_the_page_before_ended(bench: Bench) {
    let running = bench.start().await;
    let mut registered = Vec::new();
    for n in 0..5 {
        registered.push(running.register(&format!("http://127.0.0.1:9/{n}")).await["id"].clone());
    }
    let (mut listed, mut path) = (Vec::new(), "/webhooks?limit=2".to_owned());
    loop {
        let page = running.get(&path).await;
        listed.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/webhooks?limit=2&cursor={next}");
    }
    assert_eq!(listed, registered);
    running.service.shutdown().await;
}
