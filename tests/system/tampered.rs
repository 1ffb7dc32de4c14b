//! `docket verify` over data that somebody changed by hand: each rule finds what breaks it, and says where.

use std::path::Path;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::platform::{Data, Platform, docket, text};
use crate::shop::order;

/// What keeps hands off the log.
const UNLOCKED: &str =
    "DROP TRIGGER events_are_never_updated; DROP TRIGGER events_are_never_deleted; ";

/// A change by hand: the file, the statements, the rule that they break, and a query of the log for the position that shows it,
/// where one does.
type Change = (&'static str, &'static str, &'static str, Option<&'static str>);

const OF_THE_LOG: &[Change] = &[
    // Two commands become one: its second event is none that it was answered with.
    (
        "log.db",
        "UPDATE events SET metadata = (SELECT metadata FROM events WHERE position = 1) WHERE position = 2",
        "I2",
        Some("SELECT 2"),
    ),
    (
        "log.db",
        "DELETE FROM commands WHERE command_id LIKE 'client/sell/%'",
        "I2",
        Some("SELECT 1"),
    ),
    ("log.db", "UPDATE commands SET body = '{}'", "I14", Some("SELECT 1")),
    ("log.db", "UPDATE commands SET status = 500", "I14", Some("SELECT 1")),
    (
        "log.db",
        "UPDATE commands SET request_hash = x'ff' WHERE position = 1",
        "I14",
        Some("SELECT 1"),
    ),
    ("log.db", "UPDATE events SET id = randomblob(16) WHERE position = 5", "I5", Some("SELECT 5")),
    (
        "log.db",
        "UPDATE events SET id = (SELECT id FROM events WHERE position = 4) WHERE position = 5",
        "I5",
        Some("SELECT 5"),
    ),
    ("log.db", "DELETE FROM events WHERE position = 5", "I5", Some("SELECT 6")),
    ("log.db", "DELETE FROM events WHERE position BETWEEN 3 AND 20", "I5", Some("SELECT 21")),
    ("log.db", "UPDATE events SET metadata = 'torn' WHERE position = 5", "P12", Some("SELECT 5")),
    ("log.db", "UPDATE events SET payload = '{}' WHERE position = 1", "P12", Some("SELECT 1")),
    (
        "log.db",
        "DELETE FROM intents",
        "I7",
        Some(
            "SELECT position FROM events WHERE type = 'PaymentRequested' AND stream LIKE '%slow%'",
        ),
    ),
];

const OF_KEYS: &[Change] = &[
    ("keys.db", "UPDATE keys SET wrapped = randomblob(60)", "P13", REGISTERED),
    ("keys.db", "DELETE FROM keys", "P13", REGISTERED),
    ("keys.db", "UPDATE keys SET wrapped = NULL, erased_at = 1", "P13", REGISTERED),
];
const REGISTERED: Option<&str> =
    Some("SELECT position FROM events WHERE type = 'CustomerRegistered'");

const OF_FOLLOWERS: &[Change] = &[
    (
        "sagas.db",
        "DELETE FROM sagas WHERE kind = 'return'",
        "I9",
        Some("SELECT position FROM events WHERE type = 'ReturnRequested'"),
    ),
    (
        "sagas.db",
        "DELETE FROM sagas WHERE kind = 'cancellation'",
        "I9",
        Some("SELECT position FROM events WHERE type = 'CancellationRequested'"),
    ),
    ("sagas.db", "UPDATE sagas SET state = 'compensated' WHERE kind <> 'order'", "I9", None),
    (
        "sagas.db",
        "UPDATE sagas SET state = 'waiting', step = 'nonsense' WHERE kind = 'return'",
        "I9",
        None,
    ),
    (
        "sagas.db",
        "UPDATE sagas SET state = 'waiting', step = 'hmm', wake_at = NULL, data = '{}' WHERE id = 'order-slow'",
        "I9",
        None,
    ),
    ("sagas.db", "UPDATE sagas SET data = '{}' WHERE id = 'order-o2'", "I9", None),
    (
        "sagas.db",
        "UPDATE sagas SET id = 'order-nobody', order_id = 'nobody' WHERE id = 'order-o1'",
        "I9",
        None,
    ),
    (
        "sagas.db",
        "INSERT INTO outbox (command_id, saga_id, step, attempt, body, created_at, next_send_at, sends) \
         VALUES ('order-nobody/reserve_stock/1', 'order-nobody', 'reserve_stock', 1, '{}', 0, 0, 5000)",
        "I12",
        None,
    ),
    ("sagas.db", "UPDATE checkpoint SET position = 99999", "I12", None),
    ("sagas.db", "UPDATE checkpoint SET position = 5", "I12", Some("SELECT 5")),
    ("sagas.db", "UPDATE checkpoint SET position = 1, event_id = NULL", "I9", None),
    ("sagas.db", "UPDATE checkpoint SET epoch = 7", "I12", None),
    ("notifications.db", "UPDATE checkpoint SET position = 99999", "I12", None),
    ("projections/orders.g1.db", "UPDATE checkpoint SET event_id = randomblob(16)", "I11", None),
    ("projections/orders.g1.db", "UPDATE checkpoint SET epoch = 9", "I11", None),
    ("projections/orders.g1.db", "UPDATE checkpoint SET position = 99999", "I11", None),
    // What lists, filters and reports are answered from. Every column there is: `tampered.rs` in projection-service.
    (
        "projections/orders.g1.db",
        "UPDATE orders SET status = 'rejected' WHERE id = 'o1'",
        "I11",
        None,
    ),
    (
        "projections/orders.g1.db",
        "UPDATE order_skus SET draft = 1 WHERE order_id = 'o1'",
        "I11",
        None,
    ),
    (
        "projections/payments.g1.db",
        "UPDATE payments SET order_id = 'o2' WHERE order_id = 'o1'",
        "I11",
        None,
    ),
    (
        "projections/shipments.g1.db",
        "UPDATE shipments SET status = 'pending' WHERE order_id = 'o1'",
        "I11",
        None,
    ),
    ("projections/sales.g1.db", "UPDATE sales_cells SET day = '2010-12-01'", "I11", None),
];

/// Leaves data behind with something of everything: a customer, an order with a return, one with a cancellation, and a payment
/// whose outcome the platform was killed before it knew.
async fn lived_in(data: &Data) {
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path()).env("DOCKET_PAYMENT_DEADLINE_MS", "600000");
    let platform = Platform::of(command).await;
    platform.sell("mug", 50).await;
    let ada = json!({ "customer_id": "ada", "name": "Ada Other" });
    platform.post("/v1/customers", "ada", &ada).await.ok();
    let unit = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    platform.place(&order("o1", "mug", "pm_ok")).await;
    platform.deliver("o1").await;
    platform.until("/v1/orders/o1", |order| order["status"] == "completed").await;
    let asked = platform.post("/v1/orders/o1/returns", "return", &unit).await.ok();
    let path = format!("/v1/orders/o1/returns/{}/receive", asked["return_id"].as_str().unwrap());
    platform.post(&path, "receive", &json!({ "restock": true })).await.ok();
    platform.place(&order("o2", "mug", "pm_ok")).await;
    platform.post("/v1/orders/o2/lines/cancel", "cancel", &unit).await.ok();
    platform.settle().await;
    platform.post("/v1/orders", "slow", &order("slow", "mug", "pm_timeout_then_ok")).await.ok();
    platform.until("/v1/payments?order_id=slow", |list| list["items"].get(0).is_some()).await;
    platform.kill().await;
}

/// The same data in a folder of its own.
fn copy_of(data: &Data) -> Data {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (path, to) = {
                let entry = entry.unwrap();
                (entry.path(), to.join(entry.file_name()))
            };
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(&path, &to).unwrap();
            }
        }
    }
    let own = Data::new();
    copy(data.path(), own.path());
    own
}

async fn open(data: &Data, file: &str) -> SqliteConnection {
    let path = data.path().join(file);
    SqliteConnection::connect(path.to_str().unwrap()).await.unwrap()
}

async fn change(data: &Data, file: &str, statements: &str) {
    let unlocked = if file == "log.db" { UNLOCKED } else { "" };
    let mut connection = open(data, file).await;
    let statements = AssertSqlSafe(format!("{unlocked}{statements}"));
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn position(data: &Data, query: &'static str) -> u64 {
    let mut connection = open(data, "log.db").await;
    let found: i64 = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    found.unsigned_abs()
}

/// The report of `docket verify`, and its exit code.
async fn verified(data: &Data, words: &[&str]) -> (Option<i32>, Value) {
    let output = data.docket(&[&["verify", "--json"], words].concat()).await;
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{}", text(&output))))
}

async fn each_is_found(changes: &[Change]) {
    let data = Data::new();
    lived_in(&data).await;
    let (code, report) = verified(&copy_of(&data), &[]).await;
    assert_eq!((code, &report["findings"]), (Some(0), &json!([])), "{report:#}");
    for (file, statements, rule, shown_at) in changes {
        let tampered = copy_of(&data);
        change(&tampered, file, statements).await;
        let (code, report) = verified(&tampered, &[]).await;
        assert_eq!(code, Some(1), "{statements}: {report:#}");
        let shown_at = match shown_at {
            Some(query) => Some(position(&data, query).await),
            None => None,
        };
        let findings = report["findings"].as_array().unwrap();
        let fits = |finding: &&Value| {
            let positions = finding["positions"].as_array().unwrap();
            finding["rule"] == *rule && shown_at.is_none_or(|at| positions.contains(&at.into()))
        };
        assert!(
            findings.iter().any(|finding| fits(&finding)),
            "{statements}: {shown_at:?} {report:#}"
        );
    }
}

#[tokio::test]
async fn what_is_changed_in_the_log_is_found_with_its_position() {
    each_is_found(OF_THE_LOG).await;
}

#[tokio::test]
async fn a_key_that_opens_nothing_or_is_gone_is_found() {
    each_is_found(OF_KEYS).await;
}

#[tokio::test]
async fn what_is_changed_in_sagas_read_models_and_checkpoints_is_found() {
    each_is_found(OF_FOLLOWERS).await;
}

#[tokio::test]
async fn what_is_not_there_or_not_spoken_of_is_not_called_checked() {
    let data = Data::new();
    lived_in(&data).await;
    let journal = data.path().join("empty.jsonl");
    std::fs::write(&journal, "").unwrap();
    let words = ["--journal", journal.to_str().unwrap()];
    let (code, report) = verified(&data, &words).await;
    assert_eq!(code, Some(0), "{report:#}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("empty.jsonl says nothing of I1, I3, I13, I14"), "{notes}");
    let said = text(&data.docket(&[&["verify"][..], &words].concat()).await);
    assert!(said.contains("– I1, I3, I13, I14: no line of the journal speaks of it."), "{said}");
    assert!(said.contains("Clean: all that was there to be checked"), "{said}");
    let rules = report["rules"].as_array().unwrap();
    for unspoken in ["I1", "I3", "I13", "I14"] {
        let rule = rules.iter().find(|rule| rule["rule"] == unspoken).unwrap();
        assert_eq!(rule["checked"], false, "{report:#}");
    }
    for name in ["notifications.db", "notifications.db-wal", "notifications.db-shm"] {
        let _ = std::fs::remove_file(data.path().join(name));
    }
    let (code, report) = verified(&data, &[]).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert!(report["notes"].to_string().contains("no notifications.db"), "{report:#}");
}

/// What a client wrote down that registered Ada.
async fn journal_of_one(data: &Data) -> Vec<Value> {
    let platform = Platform::start(data).await;
    let (path, body) = ("/v1/customers", json!({ "customer_id": "ada", "name": "Ada Other" }));
    let answer = platform.post(path, "ada", &body).await;
    let (status, told) = (answer.status.as_u16(), answer.ok());
    platform.settle().await;
    platform.terminate().await;
    vec![
        json!({ "line": "asked", "attempt": 1, "key": "ada", "path": path, "body": body }),
        json!({ "line": "answered", "attempt": 1, "status": status, "body": told }),
    ]
}

/// What verifying says with this journal.
async fn verified_with(data: &Data, lines: &[Value]) -> std::process::Output {
    let journal = data.path().join("journal.jsonl");
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(&journal, lines.join("\n")).unwrap();
    data.docket(&["verify", "--journal", journal.to_str().unwrap()]).await
}

#[tokio::test]
async fn a_remembered_answer_that_is_not_what_the_client_was_told_is_found() {
    let data = Data::new();
    let lines = journal_of_one(&data).await;
    let right = verified_with(&data, &lines).await;
    assert_eq!(right.status.code(), Some(0), "{}", text(&right));
    let bob = "UPDATE commands SET body = replace(body, 'ada', 'bob')";
    change(&data, "log.db", bob).await;
    let without = verified(&data, &[]).await.0;
    assert_eq!(without, Some(0), "only who was told knows it");
    let wrong = verified_with(&data, &lines).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong));
    let said = text(&wrong);
    assert!(said.contains("I14: Command `client/ada` was answered 201 with"), "{said}");
    assert!(said.contains("1 finding."), "{said}");
}

#[tokio::test]
async fn a_journal_with_an_answer_to_nothing_or_a_torn_line_can_t_be_compared() {
    let data = Data::new();
    let lines = journal_of_one(&data).await;
    let without = verified_with(&data, &lines[1..]).await;
    assert_eq!(without.status.code(), Some(2), "{}", text(&without));
    assert!(text(&without).contains("line 1 answers no question"), "{}", text(&without));
    let torn = verified_with(&data, &[lines[0].clone(), json!("ans"), lines[1].clone()]).await;
    assert_eq!(torn.status.code(), Some(2), "{}", text(&torn));
    assert!(text(&torn).contains("line 2 can't be read"), "{}", text(&torn));
}

#[tokio::test]
async fn events_says_where_the_log_has_a_hole_and_goes_on_behind_it() {
    let data = Data::new();
    lived_in(&data).await;
    change(&data, "log.db", "DELETE FROM events WHERE position BETWEEN 3 AND 5").await;
    let output = data.docket(&["events", "--after", "1", "--limit", "3", "--json"]).await;
    assert!(output.status.success(), "{}", text(&output));
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let shown: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].clone())
        .collect();
    assert_eq!(shown, [2, 6, 7]);
    assert!(text(&output).contains("no event at positions 3 to 5"), "{}", text(&output));
}
