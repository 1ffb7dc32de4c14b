//! A message that nobody understands is parked with its cause, and carried out once when the cause is gone.

use domain::ids::{OrderId, Sku};
use domain::inventory::{ReserveStock, SkuQuantity};
use domain::orders::ConfirmOrder;
use domain::text::Quantity;
use messaging::commands::{CommandHandler as _, CommandMessage, Handled};
use messaging::jetstream::{Parked, Parking as _};
use serde_json::json;

use crate::participants::message;
use crate::support::{TestApp, events, types};

const COMMAND: &str = "order-o/reserve_stock/1";

fn reserve(units: u32) -> CommandMessage {
    let (sku, quantity) = (Sku::parse("22423").unwrap(), Quantity::new(units).unwrap());
    let lines = vec![SkuQuantity { sku, quantity }];
    message(COMMAND, ReserveStock { order_id: OrderId::parse("o").unwrap(), lines })
}

fn teleport() -> CommandMessage {
    let body = r#"{"command":"Teleport","body":{"order_id":"o"}}"#.to_owned();
    CommandMessage { body, ..reserve(1) }
}

/// What an older version that knew no such command would have left: the letter, and the event.
async fn parked_by_another_version(app: &TestApp, command: &CommandMessage) -> String {
    assert_eq!(app.service.participants().handle(teleport()).await, Handled::Done);
    let listed = app.get("/dead-letters").await;
    let id = listed.is(200)["items"][0]["id"].as_str().unwrap().to_owned();
    app.rewrite_letter(&id, &serde_json::to_string(command).unwrap()).await;
    id
}

#[tokio::test]
async fn a_poison_command_is_parked_with_its_cause_and_once_however_often_it_comes() {
    let app = TestApp::with_dead_letters().await;
    for _ in 0..3 {
        assert_eq!(app.service.participants().handle(teleport()).await, Handled::Done);
    }
    assert_eq!(types(&*app.log, "commands-o").await, ["CommandParked"]);
    let listed = app.get("/dead-letters").await;
    let items = listed.is(200)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["command_id"], &items[0]["state"]), (&json!(COMMAND), &json!("parked")));
    assert!(items[0]["cause"].as_str().unwrap().contains("Teleport"), "{items:?}");
    let path = format!("/dead-letters/{}", items[0]["id"].as_str().unwrap());
    let shown = app.get(&path).await;
    assert!(shown.is(200)["message"].as_str().unwrap().contains("Teleport"));

    let replay = json!({ "reason": "try it" });
    let refused = app.post(&format!("{path}/replay"), "r", &replay).await;
    assert_eq!(refused.is(422)["code"], "dead_letter_unreadable");
    assert_eq!(app.get("/dead-letters").await.is(200)["items"][0]["state"], "parked");
}

#[tokio::test]
async fn a_command_that_names_no_order_leaves_the_queue_once_it_is_parked_and_not_before() {
    let app = TestApp::with_dead_letters().await;
    let nameless =
        CommandMessage { body: "{\"command\":\"ReserveStock\"}".to_owned(), ..reserve(1) };
    for _ in 0..2 {
        assert_eq!(app.service.participants().handle(nameless.clone()).await, Handled::Done);
    }
    assert_eq!(events(&*app.log).await.len(), 0, "nobody could read of its end");
    let listed = app.get("/dead-letters").await;
    let items = listed.is(200)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    assert!(items[0]["cause"].as_str().unwrap().contains("body"), "{items:?}");

    app.lose_letters().await;
    let unlucky = CommandMessage { command_id: "order-o/reserve_stock/2".into(), ..nameless };
    let handled = app.service.participants().handle(unlucky).await;
    assert!(matches!(handled, Handled::Later(_)), "it would be lost: {handled:?}");
}

#[tokio::test]
async fn when_its_cause_is_gone_it_is_replayed_and_has_its_effect_once() {
    let app = TestApp::with_dead_letters().await;
    app.sell("22423", 10).await;
    let path = format!("/dead-letters/{}", parked_by_another_version(&app, &reserve(4)).await);
    let replay = json!({ "reason": "the version that knows it is there" });
    for key in ["once", "once", "again"] {
        let replayed = app.post(&format!("{path}/replay"), key, &replay).await;
        let replayed = replayed.is(200);
        assert_eq!(replayed["state"], "replayed");
        assert_eq!(replayed["reason"], "the version that knows it is there");
    }
    assert_eq!(types(&*app.log, "reservation-o").await, ["ReservationMade"]);
    let made = events(&*app.log).await;
    let made = made.iter().find(|event| &*event.event_type == "ReservationMade").unwrap();
    assert_eq!(&*made.metadata.command_id, format!("{COMMAND}/replay"), "its saga knows it");
    assert_eq!(&*made.metadata.actor, "operator");
    assert_eq!(app.get("/dead-letters").await.is(200)["items"], json!([]));
    assert_eq!(app.get("/dead-letters?all=true").await.is(200)["items"][0]["state"], "replayed");
}

#[tokio::test]
async fn what_is_refused_at_its_replay_leaves_only_that_it_was_asked_for_and_stays_parked() {
    let app = TestApp::with_dead_letters().await;
    let confirm = ConfirmOrder { order_id: OrderId::parse("o").unwrap(), payment_id: None };
    let id = parked_by_another_version(&app, &message(COMMAND, confirm)).await;
    let before = events(&*app.log).await.len();
    for _ in 0..2 {
        let replay = json!({ "reason": "too early" });
        let refused = app.post(&format!("/dead-letters/{id}/replay"), "r", replay).await;
        assert_eq!(refused.is(404)["code"], "order_not_found");
    }
    let events = events(&*app.log).await;
    let asked = &events[before..];
    assert_eq!(asked.len(), 1, "once, however often it is asked for under its key");
    assert_eq!(&*asked[0].event_type, "OperatorActed");
    assert!(asked[0].payload.contains("too early"), "{}", asked[0].payload);
    assert_eq!(app.get(&format!("/dead-letters/{id}")).await.is(200)["state"], "parked");
}

#[tokio::test]
async fn what_is_no_command_is_a_letter_too_and_an_unknown_letter_is_404() {
    let app = TestApp::with_dead_letters().await;
    let letters = app.letters().await;
    for sequence in [7, 8] {
        let (subject, cause) = ("docket.commands.x".to_owned(), "expected value".to_owned());
        let body = "nonsense\0".as_bytes().to_vec().into();
        letters.park(Parked { sequence, subject, body, cause }).await.unwrap();
    }
    let listed = app.get("/dead-letters").await;
    let items = listed.is(200)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1, "the same bytes are one letter");
    assert_eq!(items[0]["command_id"], json!(null));
    let missing = app.get("/dead-letters/4f").await;
    assert_eq!(missing.is(404)["code"], "dead_letter_not_found");
    let keyless = app.post_with("/dead-letters/4f/replay", &[], json!({ "reason": "x" })).await;
    assert_eq!(keyless.is(400)["code"], "idempotency_key_missing");
    let bad = app.get("/dead-letters?all=perhaps").await;
    assert_eq!(bad.is(400)["code"], "invalid_query");
}
