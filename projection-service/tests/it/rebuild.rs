//! P10: a model is built anew beside the live one, compared, and switched.

use std::sync::Arc;

use axum::http::StatusCode;
use projection_service::Projector;
use projection_service::as_of::build_as_of;
use projection_service::inspect::Model;
use projection_service::runner::status::Rebuilt;
use serde_json::json;

use crate::place::{Place, on_both};
use crate::shop::{Shop, WHY, caught_up, digests, get, post};

const DAY: &str = "2010-12-01T08:26:00Z";

on_both! {
    a_model_built_anew_while_orders_come_in_is_equal_and_is_switched,
    a_rebuild_asked_for_again_with_its_key_is_the_same_one,
    all_models_are_built_anew_together,
    a_rebuild_that_fails_leaves_the_live_model_as_it_is,
    models_as_of_a_position_are_those_that_stood_there,
    two_runs_of_the_same_business_have_the_same_stable_digests,
}

async fn a_model_built_anew_while_orders_come_in_is_equal_and_is_switched(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    for n in 0..10 {
        shop.completed_order(&format!("o{n}"), DAY, "a").await;
    }
    let service = shop.start().await;
    caught_up(&service, 150).await;
    let answer = post(&service, "/projections/orders/rebuild", Some("k"), WHY).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let mut end = 0;
    for n in 10..20 {
        end = shop.completed_order(&format!("o{n}"), DAY, "a").await;
        assert_eq!(get(&service, "/orders/o1").await["status"], "completed");
    }
    let handle = &service.handles()[0];
    let mut status = handle.status();
    let rebuilt = status.wait_for(|status| status.last_rebuild.is_some()).await.unwrap().clone();
    let Some(Rebuilt::Switched { generation: 2, equal: Some(true), digests: found, .. }) =
        rebuilt.last_rebuild
    else {
        panic!("{rebuilt:?}");
    };
    assert_eq!(found.len(), 2);
    caught_up(&service, end).await;
    assert_eq!(handle.current().number, 2);
    assert_eq!(get(&service, "/orders?limit=1000").await["items"].as_array().unwrap().len(), 20);
    let before = digests(&service).await;
    service.shutdown().await;
    let service = shop.start().await;
    assert_eq!(service.handles()[0].current().number, 2);
    assert_eq!(digests(&service).await, before);
    service.shutdown().await;
}

async fn a_rebuild_asked_for_again_with_its_key_is_the_same_one(place: Place) {
    let service = Shop::new(place.home("models")).start().await;
    let uri = "/projections/orders/rebuild";
    for (key, body, status, code) in [
        (None, "", 400, json!("idempotency_key_missing")),
        (Some(""), "{}", 400, json!("idempotency_key_missing")),
        (Some("k"), "{bad", 400, json!("invalid_body")),
        (Some("k"), "{\"to\":1}", 400, json!("invalid_body")),
        (Some("k"), "[]", 400, json!("invalid_body")),
        (Some("k"), WHY, 202, json!(null)),
        // Asked for before a reason was.
        (Some("k"), "{}", 202, json!(null)),
        (Some("k"), "", 202, json!(null)),
        (Some("other"), "{}", 400, json!("invalid_body")),
        (Some("other"), WHY, 409, json!("rebuild_running")),
    ] {
        let answer = post(&service, uri, key, body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (status, &code),
            "{key:?} {body}"
        );
    }
    let handle = &service.handles()[0];
    let mut status = handle.status();
    status.wait_for(|status| status.last_rebuild.is_some()).await.unwrap();
    assert_eq!(handle.current().number, 2);
    service.shutdown().await;
}

async fn all_models_are_built_anew_together(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let mut end = 0;
    for n in 0..10 {
        end = shop.completed_order(&format!("o{n}"), DAY, "a").await;
    }
    let service = shop.start().await;
    caught_up(&service, end).await;
    let before = digests(&service).await;
    service.rebuild(Projector::ALL).await.unwrap();
    for handle in service.handles() {
        let mut status = handle.status();
        status.wait_for(|status| status.last_rebuild.is_some()).await.unwrap();
        assert_eq!(handle.current().number, 2);
    }
    assert_eq!(digests(&service).await, before);
    service.shutdown().await;
}

async fn a_rebuild_that_fails_leaves_the_live_model_as_it_is(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": 4 }))]).await;
    shop.append_raw(DAY, "stock-a", "StockReceived", "{}".into()).await;
    let service = shop.start().await;
    caught_up(&service, 2).await;
    service.rebuild(&[Projector::Stock]).await.unwrap();
    let handle = &service.handles()[Projector::Stock as usize];
    let mut status = handle.status();
    let ended = status.wait_for(|status| status.last_rebuild.is_some()).await.unwrap().clone();
    assert!(matches!(ended.last_rebuild, Some(Rebuilt::Failed { .. })));
    assert_eq!(handle.current().number, 1);
    assert_eq!(get(&service, "/stock/a").await["available"], 4);
    service.shutdown().await;
}

async fn models_as_of_a_position_are_those_that_stood_there(place: Place) {
    let mut shop = Shop::new(place.home("live"));
    let middle = shop.completed_order("o1", DAY, "a").await;
    let service = shop.start().await;
    caught_up(&service, middle).await;
    service.shutdown().await;
    let end = shop.completed_order("o2", DAY, "a").await;
    let then = place.home("as_of");
    then.make().await.unwrap();
    let built =
        |to| build_as_of(shop.feed(), then.clone(), Projector::ALL, to, Arc::new(|_, _| {}));
    for model in built(middle).await.unwrap() {
        let live = Model::live(shop.home.clone(), model.projector).await.unwrap().unwrap();
        assert_eq!(model.digest().await.unwrap(), live.digest().await.unwrap());
        assert_eq!(live.differences(&model, 10).await.unwrap(), []);
        live.close().await;
        model.close().await;
    }
    let later = built(end + 1_000).await.unwrap();
    let live = Model::live(shop.home.clone(), Projector::Orders).await.unwrap().unwrap();
    let differences = live.differences(&later[0], 10).await.unwrap();
    let found: Vec<&str> = differences.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(found, ["o2", "a o2"]);
    assert_ne!(live.digest_stable().await.unwrap(), later[0].digest_stable().await.unwrap());
}

async fn two_runs_of_the_same_business_have_the_same_stable_digests(place: Place) {
    let mut stable = Vec::new();
    for (run, at) in [("one", DAY), ("other", "2010-12-01T20:00:00Z")] {
        let mut shop = Shop::new(place.home(run));
        let sealed = shop.vault.seal("customer-c1", br#""Ada""#).await.unwrap();
        let name = json!({ "person": sealed.person, "sealed": sealed.sealed });
        shop.append(at, &[("CustomerRegistered", json!({ "customer_id": "c1", "name": name }))])
            .await;
        let end = shop.completed_order("o1", at, "a").await;
        shop.home.make().await.unwrap();
        let quiet = Arc::new(|_: &'static str, _| {});
        let models =
            build_as_of(shop.feed(), shop.home.clone(), Projector::ALL, end, quiet).await.unwrap();
        let mut digests = Vec::new();
        for model in models {
            digests.push(model.digest_stable().await.unwrap());
        }
        stable.push(digests);
    }
    assert_eq!(stable[0], stable[1]);
}
