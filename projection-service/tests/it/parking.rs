//! An event of one key that can't be applied: the projector stands still, an operator parks the key, all others flow, and what
//! waited is applied once it can be.

use std::sync::Arc;

use axum::http::StatusCode;
use chrono::DateTime;
use event_store::{EventLog, RecordedEvent};
use projection_service::decoded::Decoded;
use projection_service::projectors::readers;
use projection_service::runner::apply::{Apply, ApplyError, Fault};
use projection_service::runner::status::Rebuilt;
use projection_service::storage::digest::digest;
use projection_service::storage::parked::{MOST_EVENTS, ParkedKey};
use projection_service::{Home, Projector};
use serde_json::json;

use crate::notes::Notes;
use crate::place::{Place, on_both};
use crate::shop::{Shop, WHY, ask, caught_up, get, post};

const DAY: &str = "2010-12-01T08:26:00Z";

on_both! {
    a_parked_key_waits_all_others_flow_and_a_replay_makes_it_as_if_nothing_had_been,
    a_replay_that_fails_leaves_everything_waiting,
    p5_exactly_once_a_replay_applies_nothing_that_the_database_lost_meanwhile,
    no_more_events_wait_than_there_is_room_for,
    an_operator_parks_the_key_at_which_a_projector_stands_still,
    a_rebuild_leaves_parked_what_is_parked_and_is_equal,
    what_can_t_be_recorded_is_not_done,
}

/// The stock of two SKUs, and one event in the middle that a newer version wrote. Its position, and all events as they are for
/// one that can read it.
async fn mended_and_broken(shop: &mut Shop) -> (u64, Vec<RecordedEvent>, Vec<RecordedEvent>) {
    for n in 1..=6 {
        for sku in ["a", "b"] {
            shop.append(DAY, &[("StockReceived", json!({ "sku": sku, "quantity": n }))]).await;
        }
    }
    let mended = shop.log.read_all(0, 1_000).await.unwrap();
    let mut broken = mended.clone();
    broken[4].schema_version = 99;
    (5, mended, broken)
}

async fn opened(shop: &Shop, home: &Home) -> Box<dyn Apply> {
    home.make().await.unwrap();
    Projector::Stock.open(home, 1, &shop.log.identity()).await.unwrap()
}

/// As after a crash.
async fn reopened(shop: &Shop, home: &Home, applier: Box<dyn Apply>) -> Box<dyn Apply> {
    applier.generation().database.close().await;
    opened(shop, home).await
}

async fn apply(applier: &mut dyn Apply, events: &[RecordedEvent]) -> Result<(), ApplyError> {
    let page = readers().decode(events).unwrap();
    applier.apply(&page, page.last()).await
}

#[track_caller]
fn fault(applied: Result<(), ApplyError>) -> Fault {
    match applied {
        Err(ApplyError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

fn parked(fault: Fault) -> [ParkedKey; 1] {
    let Fault { position, cause, key } = fault;
    let (reason, actor) = ("upgrade at noon".to_owned(), "ada".to_owned());
    let parked_at = DateTime::UNIX_EPOCH;
    [ParkedKey { key: key.unwrap(), position, cause, reason, actor, parked_at }]
}

fn of_a(events: &[RecordedEvent], from: u64) -> Vec<Decoded> {
    let of_a = |event: &&RecordedEvent| &*event.stream == "stock-a" && event.position >= from;
    events.iter().filter(of_a).map(Decoded::from).collect()
}

async fn digest_of(applier: &dyn Apply) -> String {
    let mut reader = applier.generation().database.reader().await.unwrap();
    format!("{:?}", digest(&mut reader, Projector::Stock.definition()).await.unwrap())
}

async fn a_parked_key_waits_all_others_flow_and_a_replay_makes_it_as_if_nothing_had_been(
    place: Place,
) {
    let mut shop = Shop::new(place.home("models"));
    let (position, mended, broken) = mended_and_broken(&mut shop).await;
    let mut whole = opened(&shop, &place.home("whole")).await;
    apply(&mut *whole, &mended).await.unwrap();

    let home = place.home("broken");
    let mut applier = opened(&shop, &home).await;
    let found = fault(apply(&mut *applier, &broken).await);
    assert_eq!((found.position, found.key.as_deref()), (position, Some("a")));
    assert!(found.cause.contains("version 99"), "{}", found.cause);
    assert_eq!(applier.checkpoint().position, position - 1, "what stands before is applied");
    applier.park(&parked(found)).await.unwrap();
    applier = reopened(&shop, &home, applier).await;
    // In two pages, with an end in between.
    apply(&mut *applier, &broken[..8]).await.unwrap();
    applier = reopened(&shop, &home, applier).await;
    apply(&mut *applier, &broken).await.unwrap();
    assert_eq!(applier.checkpoint().position, 12);
    applier = reopened(&shop, &home, applier).await;
    let waiting = applier.parked().get("a").unwrap().clone();
    assert_eq!((waiting.events, waiting.parked.actor.as_str()), (4, "ada"));
    assert_eq!(applier.parked().get("b"), None);
    assert_ne!(digest_of(&*applier).await, digest_of(&*whole).await);

    applier.release("a", &of_a(&mended, position)).await.unwrap();
    assert!(applier.parked().is_empty());
    assert_eq!(digest_of(&*applier).await, digest_of(&*whole).await);
    applier = reopened(&shop, &home, applier).await;
    assert!(applier.parked().is_empty());
    assert_eq!(applier.checkpoint().position, 12);
    apply(&mut *applier, &mended).await.unwrap();
    assert_eq!(digest_of(&*applier).await, digest_of(&*whole).await, "each once");
    applier.generation().database.close().await;
    whole.generation().database.close().await;
}

async fn p5_exactly_once_a_replay_applies_nothing_that_the_database_lost_meanwhile(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (position, mended, broken) = mended_and_broken(&mut shop).await;
    let mut whole = opened(&shop, &place.home("whole")).await;
    apply(&mut *whole, &mended).await.unwrap();
    let mut applier = opened(&shop, &place.home("broken")).await;
    let found = fault(apply(&mut *applier, &broken).await);
    applier.park(&parked(found)).await.unwrap();
    // What waited was looked up when the model stood at 12; then its database went back to 8.
    apply(&mut *applier, &broken[..8]).await.unwrap();
    applier.release("a", &of_a(&mended, position)).await.unwrap();
    assert!(applier.parked().is_empty());
    apply(&mut *applier, &mended).await.unwrap();
    assert_eq!(digest_of(&*applier).await, digest_of(&*whole).await, "each once");
    applier.generation().database.close().await;
    whole.generation().database.close().await;
}

async fn a_replay_that_fails_leaves_everything_waiting(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (position, mended, mut broken) = mended_and_broken(&mut shop).await;
    let home = place.home("broken");
    let mut applier = opened(&shop, &home).await;
    let found = fault(apply(&mut *applier, &broken).await);
    applier.park(&parked(found)).await.unwrap();
    apply(&mut *applier, &broken).await.unwrap();
    let before = digest_of(&*applier).await;
    // The first of them can be read now, a later one can not.
    broken[4] = mended[4].clone();
    broken[8].schema_version = 99;
    let found = fault(applier.release("a", &of_a(&broken, position)).await);
    assert_eq!((found.position, found.key.as_deref()), (9, Some("a")));
    for again in [false, true] {
        assert_eq!(applier.parked().get("a").unwrap().events, 4, "after a restart: {again}");
        assert_eq!(digest_of(&*applier).await, before);
        applier = reopened(&shop, &home, applier).await;
    }
    applier.generation().database.close().await;
}

async fn no_more_events_wait_than_there_is_room_for(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (_, _, broken) = mended_and_broken(&mut shop).await;
    let home = place.home("broken");
    let mut applier = opened(&shop, &home).await;
    let found = fault(apply(&mut *applier, &broken).await);
    applier.park(&parked(found)).await.unwrap();
    apply(&mut *applier, &broken).await.unwrap();
    let (held, from) = (applier.parked().events(), applier.checkpoint().position);
    let more = (1..=MOST_EVENTS).map(|n| RecordedEvent {
        position: from + n,
        version: 6 + n,
        id: uuid::Uuid::from_u128(u128::from(n)),
        ..broken[10].clone()
    });
    let more: Vec<RecordedEvent> = more.collect();
    let found = fault(apply(&mut *applier, &more).await);
    assert_eq!(found.position, from + MOST_EVENTS - held + 1);
    assert_eq!(found.key, None, "nothing more can be parked");
    assert_eq!(applier.parked().events(), MOST_EVENTS);
    applier.generation().database.close().await;
}

/// A stock event that nobody can read, and what comes before and after it; its position, and the last one.
async fn with_poison(shop: &mut Shop) -> (u64, u64) {
    let receive = |sku| ("StockReceived", json!({ "sku": sku, "quantity": 4 }));
    shop.append(DAY, &[receive("a"), receive("b")]).await;
    let poison = shop.append_raw(DAY, "stock-a", "StockReceived", "{}".into()).await;
    (poison, shop.append(DAY, &[receive("b"), receive("a")]).await)
}

const PARK: &str = r#"{"position":3,"reason":"upgrade at noon"}"#;
const REPLAY: &str = r#"{"key":"a","reason":"it reads it now"}"#;

async fn an_operator_parks_the_key_at_which_a_projector_stands_still(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (poison, end) = with_poison(&mut shop).await;
    let notes = Arc::new(Notes::default());
    let service = shop.start_recording(notes.clone()).await;
    caught_up(&service, end).await;
    let list = get(&service, "/projections").await;
    for item in list["items"].as_array().unwrap() {
        let wanted = if item["name"] == "stock" { "faulted" } else { "running" };
        assert_eq!(item["state"], wanted, "{item:#}");
    }
    let stock = get(&service, "/projections/stock").await;
    assert_eq!(
        (&stock["fault"]["position"], &stock["fault"]["key"]),
        (&poison.into(), &"a".into())
    );

    for (body, status, code) in [
        (r#"{"position":3}"#, 400, "invalid_body"),
        (r#"{"position":4,"reason":"no"}"#, 409, "not_parkable"),
        (r#"{"position":3,"key":"b","reason":"no"}"#, 409, "not_parkable"),
    ] {
        let refused = post(&service, "/projections/stock/park", Some("no"), body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (status, &code.into()),
            "{body}"
        );
    }
    let refused = post(&service, "/projections/orders/park", Some("no"), PARK).await;
    assert_eq!(refused.body["code"], "not_parkable");
    let refused = post(&service, "/projections/stock/replay", Some("no"), REPLAY).await;
    assert_eq!(refused.body["code"], "key_not_parked");
    assert!(notes.all().is_empty(), "what is refused is not recorded: {:?}", notes.all());

    let answer = post(&service, "/projections/stock/park", Some("park"), PARK).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let recorded = &notes.all()[0];
    assert_eq!(
        (&recorded["command"], &recorded["body"]["action"]),
        (&"RecordAction".into(), &"park_key".into())
    );
    assert_eq!(recorded["body"]["subject"], "projection/stock");
    assert_eq!((&recorded["body"]["key"], &recorded["body"]["position"]), (&"a".into(), &3.into()));
    caught_up(&service, end).await;
    let again = post(&service, "/projections/stock/park", Some("park"), PARK).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.body["parked"][0]["waiting"], 2, "{:#}", again.body);
    assert_eq!(notes.all().len(), 1);

    // The others flow; what is read of the parked one says that it is old.
    let b = ask(&service, "GET", &format!("/stock/b?min_position={end}")).await;
    assert_eq!((&b.body["available"], b.headers.get("docket-stale")), (&8.into(), None));
    let a = ask(&service, "GET", "/stock/a").await;
    assert_eq!(
        (&a.body["available"], &a.headers["docket-stale"]),
        (&4.into(), &"true".parse().unwrap())
    );
    assert_eq!(a.body["stale"]["position"], poison, "{:#}", a.body);
    assert!(ask(&service, "GET", "/stock").await.headers.contains_key("docket-stale"));
    let absent = ask(&service, "GET", "/stock/c").await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    service.shutdown().await;

    let service = shop.start_recording(notes.clone()).await;
    caught_up(&service, end).await;
    let still = post(&service, "/projections/stock/replay", Some("replay"), REPLAY).await;
    assert_eq!((still.status.as_u16(), &still.body["code"]), (422, &"key_still_faulted".into()));
    assert_eq!(still.body["position"], poison);
    assert_eq!(get(&service, "/projections/stock").await["parked"][0]["waiting"], 2);
    service.shutdown().await;
}

async fn a_rebuild_leaves_parked_what_is_parked_and_is_equal(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (_, end) = with_poison(&mut shop).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    post(&service, "/projections/stock/park", Some("park"), PARK).await;
    caught_up(&service, end).await;
    let answer = post(&service, "/projections/stock/rebuild", Some("anew"), WHY).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let handle = &service.handles()[Projector::Stock as usize];
    let mut status = handle.status();
    let ended = status.wait_for(|status| status.last_rebuild.is_some()).await.unwrap().clone();
    let equal = matches!(ended.last_rebuild, Some(Rebuilt::Switched { equal: Some(true), .. }));
    assert!(equal, "{ended:?}");
    let stock = get(&service, "/projections/stock").await;
    assert_eq!(
        (&stock["generation"], &stock["parked"][0]["waiting"]),
        (&2.into(), &2.into()),
        "{stock:#}"
    );
    assert!(ask(&service, "GET", "/stock/a").await.headers.contains_key("docket-stale"));
    service.shutdown().await;
}

async fn what_can_t_be_recorded_is_not_done(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let (_, end) = with_poison(&mut shop).await;
    let service = shop.start_recording(Arc::new(Notes::refusing())).await;
    caught_up(&service, end).await;
    for uri in ["/projections/stock/park", "/projections/orders/rebuild"] {
        let body = if uri.ends_with("park") { PARK } else { WHY };
        let refused = post(&service, uri, Some(uri), body).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (503, &"unavailable".into()));
    }
    assert_eq!(get(&service, "/projections/stock").await["state"], "faulted");
    assert_eq!(service.handles()[0].current().number, 1);
    service.shutdown().await;
}

#[tokio::test]
async fn a_replay_whose_commit_failed_is_done_again_and_has_its_effect_once() {
    let Some(place) = Place::postgres() else { return };
    let mut shop = Shop::new(place.home("models"));
    let (position, mended, broken) = mended_and_broken(&mut shop).await;
    let mut whole = opened(&shop, &place.home("whole")).await;
    apply(&mut *whole, &mended).await.unwrap();
    let mut applier = opened(&shop, &place.home("broken")).await;
    let found = fault(apply(&mut *applier, &broken).await);
    applier.park(&parked(found)).await.unwrap();
    apply(&mut *applier, &broken).await.unwrap();
    let before = digest_of(&*applier).await;
    let database = applier.generation().database.clone();
    let run = async |sql: &'static str| {
        database.writer().await.unwrap().query(sql).execute().await.unwrap();
    };
    run("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'")
        .await;
    run("CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON checkpoint DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()")
    .await;
    let events = of_a(&mended, position);
    assert!(matches!(applier.release("a", &events).await, Err(ApplyError::Database(_))));
    assert_eq!(digest_of(&*applier).await, before);
    run("DROP TRIGGER refuse ON checkpoint").await;
    applier.release("a", &events).await.unwrap();
    assert!(applier.parked().is_empty());
    assert_eq!(digest_of(&*applier).await, digest_of(&*whole).await);
    applier.generation().database.close().await;
    whole.generation().database.close().await;
}
