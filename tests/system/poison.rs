//! An event that nobody can read yet: one read model stands still, everything else goes on; an operator parks its key and replays
//! it later. All of it is in the log.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use uuid::Uuid;

use crate::platform::{Data, Platform, docket, text};
use crate::services::{Service, Services};
use crate::shop::order;

/// As a newer version would write it.
const POISON: &str = r#"{"sku":"A","unit_price":{"amount":1300,"currency":"GBP"}}"#;

/// An id as the store draws it, of the time of the log's last event.
fn id_of(recorded_at_micros: i64) -> Uuid {
    let millis = recorded_at_micros.unsigned_abs() / 1_000;
    uuid::Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid()
}

/// Puts the event at the end of a log that nobody writes, with the answer of its command.
async fn poison_file(log: &Path) {
    poison_stream(log, "product-A", "PriceChanged", POISON).await;
}

/// The same with any event.
async fn poison_stream(log: &Path, stream: &str, event_type: &str, payload: &str) {
    let mut log = SqliteConnectOptions::new().filename(log).connect().await.unwrap();
    let last = sqlx::query_scalar("SELECT max(recorded_at) FROM events");
    let id = id_of(last.fetch_one(&mut log).await.unwrap());
    let insert = "INSERT INTO events SELECT position + 1, $3,
            (SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream = $3), $2, $4, 99, $1,
            json_set(metadata, '$.command_id', 'poison'), recorded_at FROM events ORDER BY position DESC LIMIT 1";
    let insert = sqlx::query(insert).bind(payload).bind(id.as_bytes().to_vec());
    insert.bind(stream).bind(event_type).execute(&mut log).await.unwrap();
    let answer = "INSERT INTO commands (command_id, request_hash, status, body, version, position)
        SELECT 'poison', zeroblob(32), 200, '{}', 0, max(position) FROM events";
    sqlx::query(answer).execute(&mut log).await.unwrap();
    log.close().await.unwrap();
}

/// What stands in the first event of this type.
async fn payload_of(log: &Path, stream: &str, event_type: &str) -> String {
    let mut log = SqliteConnectOptions::new().filename(log).connect().await.unwrap();
    let found = sqlx::query_scalar("SELECT payload FROM events WHERE stream = $1 AND type = $2");
    let payload = found.bind(stream).bind(event_type).fetch_one(&mut log).await.unwrap();
    log.close().await.unwrap();
    payload
}

/// Lets this version read it.
async fn mend_file(log: &Path) {
    let mut log = SqliteConnectOptions::new().filename(log).connect().await.unwrap();
    let mend = "DROP TRIGGER events_are_never_updated;
        UPDATE events SET schema_version = 1 WHERE schema_version = 99;
        CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END";
    sqlx::raw_sql(mend).execute(&mut log).await.unwrap();
    log.close().await.unwrap();
}

async fn poison_database(url: &str) {
    let mut log = PgConnection::connect(url).await.unwrap();
    let last = sqlx::query_scalar("SELECT max(recorded_at) FROM events");
    let id = id_of(last.fetch_one(&mut log).await.unwrap());
    let insert = "INSERT INTO events SELECT position + 1, 'product-A',
            (SELECT max(version) + 1 FROM events WHERE stream = 'product-A'), $2, 'PriceChanged', 99, $1,
            jsonb_set(metadata::jsonb, '{command_id}', '\"poison\"')::text, recorded_at
            FROM events ORDER BY position DESC LIMIT 1";
    sqlx::query(insert).bind(POISON).bind(id).execute(&mut log).await.unwrap();
    let answer = "INSERT INTO commands (command_id, request_hash, status, body, version, position)
        SELECT 'poison', decode(repeat('00', 32), 'hex'), 200, '{}', 0, max(position) FROM events";
    sqlx::query(answer).execute(&mut log).await.unwrap();
    log.close().await.unwrap();
}

async fn mend_database(url: &str) {
    let mut log = PgConnection::connect(url).await.unwrap();
    let mend = "BEGIN; ALTER TABLE events DISABLE TRIGGER ALL;
        UPDATE events SET schema_version = 1 WHERE schema_version = 99;
        ALTER TABLE events ENABLE TRIGGER ALL; COMMIT";
    sqlx::raw_sql(mend).execute(&mut log).await.unwrap();
    log.close().await.unwrap();
}

/// One whose read model may stand still.
async fn start(data: &Data) -> Platform {
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path()).env("DOCKET_PAYMENT_DEADLINE_MS", "300");
    Platform::of(command).await
}

async fn projections(platform: &Platform, words: &[&str]) -> Output {
    let words = [&["projections"], words, &["--url", &platform.url, "--actor", "ada"]].concat();
    docket(&words).output().await.unwrap()
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    text(output)
}

/// Every read model but this one has read all, and this one stands still.
async fn until_only_products_stands_still(platform: &Platform) {
    let as_wanted = |item: &Value| {
        let state = if item["name"] == "products" { "faulted" } else { "running" };
        item["state"] == state && (state == "faulted" || item["position"] == item["head"])
    };
    let all = |list: &Value| list["items"].as_array().is_some_and(|all| all.iter().all(as_wanted));
    platform.until("/v1/projections", all).await;
}

/// It stands still, its key is parked, and all else goes on.
async fn park(platform: &Platform) {
    until_only_products_stands_still(platform).await;
    // A balancer that took it away would take all that goes on.
    platform.until_ready().await;
    platform.sell("C", 3).await;
    platform.place(&order("o1", "B", "pm_ok")).await;
    until_only_products_stands_still(platform).await;
    let shown = succeeded(&projections(platform, &["show", "products"]).await);
    assert!(shown.contains("stands still at position"), "{shown}");
    let refused = projections(platform, &["park", "stock", "--reason", "no"]).await;
    assert!(text(&refused).contains("does not stand still"), "{}", text(&refused));
    let parked = projections(platform, &["park", "products", "--reason", "upgrade at noon"]).await;
    let parked = succeeded(&parked);
    assert!(parked.contains("by ada (upgrade at noon)"), "{parked}");
    platform.settle().await;
    let c = platform.get("/v1/products/C").await;
    assert_eq!((c.header("docket-stale"), &c.body["name"]), ("", &json!("Product C")));
    platform.until_ready().await;
}

async fn is_parked(platform: &Platform) {
    let a = platform.get("/v1/products/A").await;
    assert_eq!(a.header("docket-stale"), "true", "{a:?}");
    assert_eq!(a.body["unit_price"]["amount"], 1275);
    let listed = succeeded(&projections(platform, &["list"]).await);
    assert!(
        listed.lines().any(|line| line.contains("products") && line.ends_with('1')),
        "{listed}"
    );
}

/// It still can't be read: a replay is refused and leaves it as it was. A rebuild has the same rows.
async fn can_t_go_on(platform: &Platform) {
    let words = ["replay", "products", "A", "--reason", "again"];
    let refused = projections(platform, &words).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("key_still_faulted"), "{}", text(&refused));
    let words =
        ["replay", "--projection", "products", "--url", &platform.url, "--reason", "compared"];
    let rebuilt = docket(&words);
    let rebuilt = succeeded(&{ rebuilt }.output().await.unwrap());
    assert!(rebuilt.contains("the same as before, row for row"), "{rebuilt}");
    is_parked(platform).await;
}

async fn goes_on(platform: &Platform) {
    let words = ["replay", "products", "A", "--reason", "it is read now"];
    let replayed = succeeded(&projections(platform, &words).await);
    assert!(!replayed.contains("parked"), "{replayed}");
    platform.settle().await;
    let a = platform.get("/v1/products/A").await;
    assert_eq!((a.header("docket-stale"), &a.body["unit_price"]["amount"]), ("", &json!(1300)));
}

/// What operators did, as `docket events` shows it.
async fn actions(log: &[&str]) -> Vec<Value> {
    let words = [&["events", "--json", "--limit", "100000"], log].concat();
    let output = docket(&words).output().await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events = events.filter(|event| event["type"] == "OperatorActed");
    events.map(|event| event["payload"].clone()).collect()
}

#[tokio::test]
async fn a_read_model_goes_on_past_a_key_that_it_can_t_read_and_a_replay_makes_up_for_it() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    platform.sell("B", 10).await;
    platform.settle().await;
    platform.terminate().await;
    poison_file(&data.path().join("log.db")).await;

    let platform = start(&data).await;
    park(&platform).await;
    is_parked(&platform).await;
    let status = docket(&["status", "--url", &platform.url]).output().await.unwrap();
    assert!(text(&status).contains("running, 1 parked"), "{}", text(&status));
    platform.kill().await;
    let platform = start(&data).await;
    platform.settle().await;
    is_parked(&platform).await;
    can_t_go_on(&platform).await;
    platform.terminate().await;
    // The log has an event that is none; the read models are what the log says, but for what is parked.
    let verified = data.docket(&["verify"]).await;
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    assert!(text(&verified).contains("`products`: 1 parked (A)"), "{}", text(&verified));
    assert!(!text(&verified).contains("I11: "), "{}", text(&verified));

    mend_file(&data.path().join("log.db")).await;
    let platform = start(&data).await;
    platform.settle().await;
    is_parked(&platform).await;
    goes_on(&platform).await;
    platform.kill().await;
    let platform = Platform::start(&data).await;
    platform.settle().await;
    assert_eq!(platform.get("/v1/products/A").await.ok()["unit_price"]["amount"], 1300);
    platform.terminate().await;
    data.verify().await;
    let told = actions(&["--data-dir", data.path().to_str().unwrap()]).await;
    let names: Vec<&str> = told.iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(names, ["park_key", "replay_key", "rebuild", "replay_key"], "{told:?}");
    let parked = json!({ "subject": "projection/products", "action": "park_key", "key": "A",
        "position": told[0]["position"], "actor": "ada", "reason": "upgrade at noon" });
    assert_eq!(told[0], parked);
    assert_eq!(told[2]["reason"], "compared");
}

#[tokio::test]
async fn where_sagas_can_t_go_past_an_event_commands_and_reads_go_on_and_a_newer_version_makes_up_for_it()
 {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("B", 10).await;
    platform.place(&order("o1", "B", "pm_ok")).await;
    platform.settle().await;
    platform.terminate().await;
    let log = data.path().join("log.db");
    let placed = payload_of(&log, "order-o1", "OrderPlaced").await.replace("\"o1\"", "\"poison\"");
    poison_stream(&log, "order-poison", "OrderPlaced", &placed).await;

    let platform = start(&data).await;
    let stands_still = |health: &Value| {
        let sagas = health["parts"]["sagas"].as_str().unwrap_or_default();
        health["status"] == "ready" && sagas.contains("stand still at position")
    };
    platform.until("/health/ready", stands_still).await;
    let placed = platform.post("/v1/orders", "o2", &order("o2", "B", "pm_ok")).await;
    assert_eq!((placed.status.as_u16(), &placed.body["status"]), (201, &json!("placed")));
    platform.sell("C", 3).await;
    let c = platform.until("/v1/stock/C", |stock| stock["on_hand"] == 3).await;
    assert_eq!(c["available"], 3);
    platform.terminate().await;

    mend_file(&log).await;
    let platform = Platform::start(&data).await;
    for id in ["poison", "o2"] {
        let path = format!("/v1/orders/{id}");
        platform.until(&path, |order| order["status"] == "confirmed").await;
    }
    platform.settle().await;
    platform.terminate().await;
    data.verify().await;
}

#[tokio::test]
async fn over_separate_processes_it_is_the_same() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("A", 10).await;
    services.gateway.sell("B", 10).await;
    services.gateway.settle().await;
    let log = services.urls().log.clone();
    services.stop(Service::Commands).await;
    poison_database(&log).await;
    services.restart(Service::Commands).await;
    services.of(Service::Commands).until_ready().await;

    park(&services.gateway).await;
    is_parked(&services.gateway).await;
    services.kill(Service::Models).await;
    services.of(Service::Models).until_ready().await;
    services.gateway.settle().await;
    is_parked(&services.gateway).await;
    can_t_go_on(&services.gateway).await;
    mend_database(&log).await;
    goes_on(&services.gateway).await;
    services.verify().await;
    let told = actions(&["--command-postgres-url", &log]).await;
    assert_eq!(told.len(), 4, "{told:?}");
    services.terminate().await;
}

#[tokio::test]
async fn what_an_operator_does_to_a_saga_is_in_the_log_with_who_and_why() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    platform.place(&order("o1", "A", "pm_capture_refused")).await;
    platform.deliver("o1").await;
    let needs = |saga: &Value| saga["state"] == "needs_attention";
    platform.until("/v1/sagas/order-o1", needs).await;
    let act = async |verb: &str, body: Value| {
        let path = format!("/v1/sagas/order-o1/{verb}");
        let headers = [("idempotency-key", verb), ("docket-actor", "ada")];
        platform.post_with(&path, &headers, body.to_string()).await
    };
    let retry = json!({ "reason": "the provider is back" });
    act("retry", retry.clone()).await.ok();
    platform.until("/v1/sagas/order-o1", needs).await;
    act("retry", retry).await.ok();
    act("resolve", json!({ "reason": "paid in cash" })).await.ok();
    platform.until("/v1/sagas/order-o1", |saga| saga["state"] == "completed").await;
    // There is nothing to do any more, so nothing is recorded.
    let late = platform.post("/v1/sagas/order-o1/retry", "late", &json!({ "reason": "no" })).await;
    assert_eq!(late.problem(), (422, "saga_not_in_attention"));
    platform.settle().await;
    platform.terminate().await;
    let told = actions(&["--data-dir", data.path().to_str().unwrap()]).await;
    let told: Vec<_> = told
        .iter()
        .map(|one| ["subject", "action", "actor", "reason"].map(|part| one[part].as_str().unwrap()))
        .collect();
    let saga = "saga/order-o1";
    assert_eq!(
        told,
        [
            [saga, "retry_saga", "ada", "the provider is back"],
            [saga, "resolve_saga", "ada", "paid in cash"],
        ]
    );
    data.verify().await;
}
