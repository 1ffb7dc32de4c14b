//! P10: what was live before a switch is fed on and can be live again; what differs is never switched to in silence.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use projection_service::runner::KeepFor;
use projection_service::runner::handle::Handle;
use projection_service::runner::status::{Rebuilt, Status};
use projection_service::storage::catalog::Role;
use projection_service::{ProjectionService, Projector};
use serde_json::json;

use crate::place::{Place, on_both};
use crate::shop::{Answer, Shop, WHY, caught_up, digests, get, post};

const DAY: &str = "2010-12-01T08:26:00Z";

async fn ask(service: &ProjectionService, verb: &str, key: &str) -> Answer {
    post(service, &format!("/projections/stock/{verb}"), Some(key), WHY).await
}

fn stock(service: &ProjectionService) -> &Arc<Handle> {
    &service.handles()[Projector::Stock as usize]
}

async fn until(service: &ProjectionService, there: impl FnMut(&Status) -> bool) -> Status {
    stock(service).status().wait_for(there).await.unwrap().clone()
}

async fn rebuilt(service: &ProjectionService, key: &str) -> Rebuilt {
    assert_eq!(ask(service, "rebuild", key).await.status, StatusCode::ACCEPTED);
    until(service, |status| status.rebuild.is_none()).await.last_rebuild.unwrap()
}

async fn received(shop: &mut Shop, quantity: u32) -> u64 {
    shop.append(DAY, &[("StockReceived", json!({ "sku": "a", "quantity": quantity }))]).await
}

/// Somebody changed a row of the live generation behind its back.
async fn tamper(service: &ProjectionService) {
    let database = stock(service).current().database;
    let wrong = "UPDATE stock SET available = 99 WHERE sku = 'a'";
    let mut writer = database.writer().await.unwrap();
    assert_eq!(writer.query(wrong).execute().await.unwrap(), 1);
}

on_both! {
    p10_a_rollback_after_a_switch_is_not_stale,
    p10_what_is_kept_and_what_was_asked_outlive_a_restart,
    p10_a_rebuild_that_differs_is_told_row_for_row_and_waits_for_a_decision,
    one_generation_at_most_is_kept_and_its_file_goes_with_it,
    what_is_kept_is_dropped_when_its_time_is_over,
}

async fn p10_a_rollback_after_a_switch_is_not_stale(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    received(&mut shop, 4).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    assert!(matches!(rebuilt(&service, "r").await, Rebuilt::Switched { equal: Some(true), .. }));
    let kept = get(&service, "/projections/stock").await["kept"].clone();
    assert_eq!((&kept["generation"], &kept["role"]), (&json!(1), &json!("previous")));
    let end = received(&mut shop, 5).await;
    caught_up(&service, end).await;
    let before = digests(&service).await;
    let answer = ask(&service, "rollback", "back").await;
    assert_eq!((answer.status, &answer.body["generation"]), (StatusCode::OK, &json!(1)));
    assert_eq!(answer.body["kept"]["role"], "candidate");
    assert_eq!(get(&service, "/stock/a").await["available"], 9);
    assert_eq!(digests(&service).await, before, "it was fed all the while");
    let again = ask(&service, "rollback", "back").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(stock(&service).current().number, 1, "a repeat changes nothing");
    assert_eq!(ask(&service, "rollback", "other").await.body["code"], "no_generation_kept");
    assert_eq!(ask(&service, "drop", "back").await.body["code"], "idempotency_key_reused");
    let end = received(&mut shop, 1).await;
    caught_up(&service, end).await;
    assert_eq!(ask(&service, "switch", "forth").await.body["generation"], 2);
    assert_eq!(get(&service, "/stock/a").await["available"], 10);
    service.shutdown().await;
}

async fn p10_what_is_kept_and_what_was_asked_outlive_a_restart(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    received(&mut shop, 4).await;
    let service = shop.start().await;
    caught_up(&service, 1).await;
    rebuilt(&service, "r").await;
    service.shutdown().await;
    let end = received(&mut shop, 5).await;
    let service = shop.start().await;
    let answer = ask(&service, "rebuild", "r").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.headers["idempotency-replayed"], "true");
    assert_eq!(answer.body["last_rebuild"]["result"], "switched");
    assert_ne!(answer.body["state"], "rebuilding", "a repeat begins no other rebuild");
    caught_up(&service, end).await;
    assert_eq!(ask(&service, "rollback", "back").await.body["generation"], 1);
    service.shutdown().await;
    let service = shop.start().await;
    assert_eq!(stock(&service).current().number, 1);
    assert_eq!(get(&service, "/stock/a").await["available"], 9);
    service.shutdown().await;
}

async fn p10_a_rebuild_that_differs_is_told_row_for_row_and_waits_for_a_decision(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let end = received(&mut shop, 4).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    tamper(&service).await;
    let Rebuilt::Differs { differing_tables, differences, .. } = rebuilt(&service, "r").await
    else {
        panic!("it was switched in silence");
    };
    assert_eq!(differing_tables, ["stock"]);
    assert_eq!((&*differences[0].table, &*differences[0].key), ("stock", "a"));
    assert_ne!(differences[0].live, differences[0].rebuilt);
    assert_eq!(get(&service, "/stock/a").await["available"], 99, "the live one stays");
    service.shutdown().await;
    let service = shop.start().await;
    let told = get(&service, "/projections/stock").await;
    assert_eq!(told["last_rebuild"]["differences"][0]["key"], "a", "also after a restart");
    assert_eq!(told["kept"]["role"], "candidate");
    assert_eq!(ask(&service, "rollback", "b").await.body["code"], "no_generation_kept");
    let answer = ask(&service, "switch", "s").await;
    assert_eq!((answer.status, &answer.body["generation"]), (StatusCode::OK, &json!(2)));
    assert_eq!(get(&service, "/stock/a").await["available"], 4);
    service.shutdown().await;
}

async fn one_generation_at_most_is_kept_and_its_file_goes_with_it(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let end = received(&mut shop, 4).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    for key in ["r1", "r2"] {
        rebuilt(&service, key).await;
    }
    let kept = until(&service, |status| status.kept.is_some()).await.kept.unwrap().kept;
    assert_eq!((kept.generation, kept.role), (2, Role::Previous));
    let dropped = ask(&service, "drop", "d").await;
    assert_eq!((dropped.status, &dropped.body["kept"]), (StatusCode::OK, &json!(null)));
    assert_eq!(ask(&service, "drop", "e").await.body["code"], "no_generation_kept");
    service.shutdown().await;
    let service = shop.start().await;
    assert!(until(&service, |_| true).await.kept.is_none());
    for (number, wanted) in [(1, false), (2, false), (3, true)] {
        let is_there = shop.home.generation("stock", number).exists().await.unwrap();
        assert_eq!(is_there, wanted, "generation {number}");
    }
    service.shutdown().await;
}

async fn what_is_kept_is_dropped_when_its_time_is_over(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.keep_for = KeepFor { previous: Duration::ZERO, candidate: Duration::ZERO };
    let end = received(&mut shop, 4).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    rebuilt(&service, "r").await;
    until(&service, |status| status.generation == 2 && status.kept.is_none()).await;
    assert_eq!(ask(&service, "rollback", "b").await.body["code"], "no_generation_kept");
    service.shutdown().await;
}
