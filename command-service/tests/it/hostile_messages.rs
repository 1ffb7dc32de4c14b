//! Messages of the command queue that no orchestrator sent: each is done with, and the log stays sound.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use command_service::parking::DeadLetters;
use domain::command::Command;
use domain::ids::{OrderId, Sku};
use domain::inventory::{ReserveStock, SkuQuantity};
use domain::orders::ConfirmOrder;
use domain::sagas::CommandEvent;
use domain::text::Quantity;
use hostile_input::{bytes, json};
use messaging::commands::{CommandHandler as _, CommandMessage, Handled};
use messaging::jetstream::{Parked, Parking};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use storage::Location;
use storage::postgres::PostgresSettings;

use crate::participants::message;
use crate::support::{TestApp, events, types};

fn order_id() -> OrderId {
    OrderId::parse("o").unwrap()
}

fn reserve(lines: usize) -> CommandMessage {
    let sku = |n: usize| Sku::parse(&format!("sku-{n}-{}", "x".repeat(50))).unwrap();
    let one = |n| SkuQuantity { sku: sku(n), quantity: Quantity::new(1).unwrap() };
    let lines = (0..lines).map(one).collect();
    message("order-o/reserve_stock/1", ReserveStock { order_id: order_id(), lines })
}

fn commands() -> Vec<Value> {
    let confirm = ConfirmOrder { order_id: order_id(), payment_id: None };
    let commands: [String; 2] = [reserve(2).body, message("c", Command::from(confirm)).body];
    commands.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

fn body() -> impl Strategy<Value = String> {
    let seeds: Vec<Vec<u8>> = commands().iter().map(|body| body.to_string().into()).collect();
    prop_oneof![
        bytes::noise_or_altered(seeds)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        prop::sample::select(commands())
            .prop_flat_map(json::altered)
            .prop_map(|body| body.to_string()),
        (".{0,300}", "[a-z]{0,4}").prop_map(|(command, order_id)| {
            serde_json::json!({ "command": command, "body": { "order_id": order_id } }).to_string()
        }),
    ]
}

fn id() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![json::odd_text(), "[ -~]{1,30}"].prop_map(Arc::from)
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    let bounds = vec![DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH];
    let any_second = any::<i64>().prop_filter_map("no time", DateTime::from_timestamp_micros);
    prop_oneof![prop::sample::select(bounds), any_second]
}

fn any_message() -> impl Strategy<Value = CommandMessage> {
    let optional = || proptest::option::of(id());
    (id(), body(), id(), optional(), optional(), time(), any::<bool>()).prop_map(
        |(command_id, body, correlation_id, causation_id, traceparent, occurred_at, begun)| {
            CommandMessage {
                command_id,
                body,
                correlation_id,
                causation_id,
                traceparent,
                occurred_at,
                begun,
            }
        },
    )
}

/// The ids of the commands that dead letters are of, and how many letters there are.
async fn letters(app: &TestApp) -> Vec<Value> {
    let listed = app.get("/dead-letters?all=true&limit=1000").await;
    listed.is(200)["items"].as_array().unwrap().clone()
}

#[test]
fn any_message_is_done_with_and_leaves_a_log_that_can_be_read() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::with_dead_letters());
    let participants = app.service.participants();
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let done = runner.run(&any_message(), |message| {
        runtime.block_on(async {
            let known = events(&*app.log).await.len();
            let first = participants.handle(message.clone()).await;
            prop_assert_eq!(first, Handled::Done);
            let after = events(&*app.log).await;
            prop_assert_eq!(participants.handle(message.clone()).await, Handled::Done);
            prop_assert_eq!(events(&*app.log).await.len(), after.len(), "a repeat changes nothing");
            for event in &after[known..] {
                prop_assert!(!event.metadata.command_id.contains('\0'));
                let metadata = serde_json::to_string(&*event.metadata).unwrap();
                let again: event_store::Metadata = serde_json::from_str(&metadata).unwrap();
                prop_assert_eq!(&again, &*event.metadata, "{}", metadata);
            }
            Ok(())
        })
    });
    done.unwrap();
    runtime.block_on(async {
        app.get("/events?limit=1000").await.is(200);
        assert!(!letters(&app).await.is_empty(), "a run that parks nothing tests little");
        app.sell("still-there", 10).await;
    });
}

#[tokio::test]
async fn a_message_whose_ids_no_database_takes_is_a_dead_letter_and_gets_near_no_batch() {
    let app = TestApp::with_dead_letters().await;
    let participants = app.service.participants();
    let bad = |change: fn(&mut CommandMessage)| {
        let mut message = reserve(1);
        change(&mut message);
        message
    };
    let messages = [
        bad(|message| message.command_id = "order-o/\0/1".into()),
        bad(|message| message.command_id = "x".repeat(10_000).into()),
        bad(|message| message.correlation_id = "a\nb".into()),
        bad(|message| message.causation_id = Some("".into())),
        bad(|message| message.traceparent = Some("\0".into())),
        bad(|message| message.occurred_at = DateTime::<Utc>::MAX_UTC),
    ];
    for message in messages {
        assert_eq!(participants.handle(message.clone()).await, Handled::Done, "{message:?}");
    }
    assert_eq!(events(&*app.log).await.len(), 0);
    let letters = letters(&app).await;
    assert_eq!(letters.len(), 3, "one an id: {letters:?}");
    assert_eq!(letters[0]["command_id"], "order-o/\u{fffd}/1");
    assert!(letters[0]["cause"].as_str().unwrap().contains("command_id"), "{}", letters[0]);
    let path = format!("/dead-letters/{}/replay", letters[0]["id"].as_str().unwrap());
    let replay = serde_json::json!({ "reason": "perhaps now" });
    app.post(&path, "r", replay).await.is_problem(422, "dead_letter_unreadable");
}

#[tokio::test]
async fn a_command_nobody_knows_is_parked_however_long_its_name_is() {
    let app = TestApp::with_dead_letters().await;
    let name = "x\n".repeat(300_000);
    let body = serde_json::json!({ "command": name, "body": { "order_id": "o" } }).to_string();
    let message = CommandMessage { body, ..reserve(1) };
    assert_eq!(app.service.participants().handle(message).await, Handled::Done);
    assert_eq!(types(&*app.log, "commands-o").await, ["CommandParked"]);
    let event = &events(&*app.log).await[0];
    assert!(event.payload.len() < 2_000, "{}", event.payload.len());
}

#[tokio::test]
async fn a_command_whose_event_would_be_too_large_is_parked_and_not_asked_for_ever() {
    let app = TestApp::with_dead_letters().await;
    let message = reserve(7_000);
    assert_eq!(app.service.participants().handle(message).await, Handled::Done);
    let parked = events(&*app.log).await;
    assert_eq!(parked.len(), 1);
    let event =
        domain::event::Event::from_json(&parked[0].event_type, 1, &parked[0].payload).unwrap();
    let domain::event::Event::Command(CommandEvent::CommandParked(parked)) = event else {
        panic!("{event:?}")
    };
    assert!(parked.cause.as_str().contains("bytes"), "{parked:?}");
    assert_eq!(letters(&app).await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_with_zeros_and_long_words_is_kept_on_postgresql_too() {
    let Some(database) = test_servers::database() else { return };
    let settings = PostgresSettings::new(&database.url(), "test").unwrap();
    let place = Location::postgres(settings, "letters");
    let letters = Arc::new(DeadLetters::open(&place, service_kit::clock::system()).await.unwrap());
    let app = TestApp::start().await.keeping(Arc::clone(&letters));
    let mut bad = reserve(1);
    bad.command_id = "order-o/\0/1".into();
    bad.body = "\0".repeat(1_000);
    assert_eq!(app.service.participants().handle(bad).await, Handled::Done);
    let (subject, cause) = ("docket.commands.x".to_owned(), "\0".repeat(100_000));
    let parked = Parked { sequence: 1, subject, body: vec![0; 1_000].into(), cause };
    Parking::park(&*letters, parked).await.unwrap();
    let listed = app.get("/dead-letters").await;
    assert_eq!(listed.is(200)["items"].as_array().unwrap().len(), 2);
    letters.close().await;
}
