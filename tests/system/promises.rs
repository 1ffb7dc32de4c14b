//! The promises that can be seen from outside, each under its name.

use serde_json::{Value, json};

use crate::platform::{Data, Platform, docket, text};
use crate::shop::order;

#[tokio::test]
async fn p2_once_the_same_key_has_one_effect_and_the_same_answer() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 0).await;
    let path = "/v1/stock/22423/receive";
    let first = platform.post(path, "k", &json!({ "quantity": 5 })).await;
    let again = platform.post(path, "k", &json!({ "quantity": 5 })).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = platform.post(path, "k", &json!({ "quantity": 6 })).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused"));
    platform.kill().await;
    let platform = Platform::start(&data).await;
    let later = platform.post(path, "k", &json!({ "quantity": 5 })).await;
    assert_eq!(later.body, again.body, "for ever, also across crashes");
    let stock = format!("/v1/stock/22423?min_position={}", later.body["position"]);
    assert_eq!(platform.get(&stock).await.ok()["available"], 5);
}

#[tokio::test]
async fn p2_once_a_refusal_is_judged_anew() {
    let platform = Platform::fresh().await;
    let order = order("o", "22423", "pm_ok");
    let refused = platform.post("/v1/orders", "k", &order).await;
    assert_eq!(refused.problem(), (422, "unknown_product"));
    platform.sell("22423", 5).await;
    platform.post("/v1/orders", "k", &order).await.ok();
}

#[tokio::test]
async fn p2_once_who_waited_for_the_decision_hears_the_same_again_after_a_cancellation() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 5).await;
    let order = order("o", "22423", "pm_ok");
    let confirmed = platform.place(&order).await;
    assert_eq!(confirmed["status"], "confirmed");
    platform.post("/v1/orders/o/cancel", "c", &json!({})).await.ok();
    platform.until("/v1/orders/o", |order| order["status"] == "cancelled").await;
    assert_eq!(platform.place(&order).await, confirmed);
}

#[tokio::test]
async fn p3_ordered_a_stale_expectation_leaves_nothing() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 1).await;
    let path = "/v1/stock/22423/receive";
    let headers = [("idempotency-key", "a"), ("if-match", "\"1\"")];
    let second = platform.post_with(path, &headers, r#"{"quantity":1}"#).await;
    assert_eq!(second.header("etag"), "\"2\"");
    let headers = [("idempotency-key", "b"), ("if-match", "\"1\"")];
    let stale = platform.post_with(path, &headers, r#"{"quantity":1}"#).await;
    assert_eq!(stale.problem(), (412, "version_mismatch"));
    assert_eq!(stale.body["current_version"], 2);
    let events = platform.get("/v1/events?after=0&limit=10").await.ok();
    let head = events["items"].as_array().unwrap().len();
    assert_eq!(head, 3, "registered, and received twice: {events}");
    let stock = platform.get(&format!("/v1/stock/22423?min_position={head}")).await.ok();
    assert_eq!(stock["available"], 2);
}

#[tokio::test]
async fn p4_dense_positions_are_1_to_n_under_concurrent_commands() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 1).await;
    let commands = (0..200).map(|n| {
        let platform = &platform;
        async move {
            let key = format!("c{n}");
            platform.post("/v1/stock/22423/receive", &key, &json!({ "quantity": 1 })).await.ok()
        }
    });
    futures::future::join_all(commands).await;
    let events = platform.get("/v1/events?after=0&limit=1000").await.ok();
    let positions: Vec<u64> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (1..=202).collect::<Vec<_>>());
}

#[tokio::test]
async fn p8_conservation_nothing_is_oversold() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 20).await;
    let orders = (0..30).map(|n| {
        let platform = &platform;
        async move { platform.place(&order(&format!("o{n}"), "22423", "pm_ok")).await }
    });
    let placed = futures::future::join_all(orders).await;
    let confirmed = placed.iter().filter(|order| order["status"] == "confirmed").count();
    let rejected = placed.iter().filter(|order| order["reason"] == "out_of_stock").count();
    assert_eq!((confirmed, rejected), (10, 20));
    platform.settle().await;
    let stock = platform.get("/v1/stock/22423").await.ok();
    assert_eq!((&stock["available"], &stock["reserved"]), (&0.into(), &20.into()));
    platform.kill().await;
    data.verify().await;
}

/// Why a read model is built anew, or another generation made live.
fn why() -> Value {
    json!({ "reason": "to see whether it is the same" })
}

#[tokio::test]
async fn p10_rebuild_gives_the_same_model_while_reads_go_on() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 100).await;
    for n in 0..20 {
        platform.place(&order(&format!("o{n}"), "22423", "pm_ok")).await;
    }
    platform.settle().await;
    let before = platform.get("/v1/orders?limit=100").await.ok();
    let asked = platform.post("/v1/projections/orders/rebuild", "r", &why()).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let rebuilt = loop {
        // Every read while it is built, and the first after the switch.
        assert_eq!(platform.get("/v1/orders?limit=100").await.ok(), before);
        let model = platform.get("/v1/projections/orders").await.ok();
        match model["state"].as_str().unwrap() {
            "rebuilding" => {}
            "running" if model["generation"] == 2 => break model,
            _ => panic!("{model}"),
        }
    };
    assert_eq!(rebuilt["last_rebuild"]["equal"], true, "{rebuilt}");
    assert_eq!(platform.get("/v1/orders?limit=100").await.ok(), before);
}

#[tokio::test]
async fn p10_rebuild_is_rolled_back_without_staleness() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 10).await;
    platform.settle().await;
    let path = "/v1/projections/stock";
    let nothing = platform.post(&format!("{path}/rollback"), "none", &why()).await;
    assert_eq!(nothing.problem(), (422, "no_generation_kept"));
    platform.post(&format!("{path}/rebuild"), "r", &why()).await.ok();
    let switched = platform.until(path, |model| model["state"] == "running").await;
    assert_eq!(switched["last_rebuild"]["equal"], true, "{switched}");
    let received = platform.post("/v1/stock/22423/receive", "k", &json!({ "quantity": 4 })).await;
    let token = received.header("docket-position").to_owned();
    let url = platform.url.clone();
    let words = ["replay", "--rollback", "--projection", "stock", "--url", &url];
    let output = docket(&words).output().await.unwrap();
    assert!(text(&output).contains("say why with --reason"), "{}", text(&output));
    let words = [&words[..], &["--reason", "it is slower"]].concat();
    let output = docket(&words).output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let model = platform.get(path).await.ok();
    assert_eq!((&model["generation"], &model["kept"]["role"]), (&1.into(), &"candidate".into()));
    let stock = platform.get(&format!("/v1/stock/22423?min_position={token}")).await.ok();
    assert_eq!(stock["available"], 14);
    assert!(!docket(&words).output().await.unwrap().status.success(), "nothing is left to undo");
}

#[tokio::test]
async fn p11_honest_reads_say_their_position_and_wait_for_it() {
    let platform = Platform::fresh().await;
    platform.sell("22423", 1).await;
    let received = platform.post("/v1/stock/22423/receive", "k", &json!({ "quantity": 4 })).await;
    let token = received.header("docket-position").to_owned();
    let stock = platform.get(&format!("/v1/stock/22423?min_position={token}")).await;
    assert_eq!(stock.header("docket-position"), token);
    assert_eq!(stock.ok()["available"], 5);
    let (log, rest) = token.split_once('-').unwrap();
    let (_, position) = rest.split_once('-').unwrap();
    let foreign = platform.get(&format!("/v1/stock?min_position={log}-99-{position}")).await;
    assert_eq!(foreign.problem(), (409, "position_of_another_history"));
}
