//! The services as separate processes do what one process does, also when some of them are lost under way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::part_of_day::PartOfDay;
use crate::payment_methods::METHODS;
use crate::platform::{Data, Platform, docket, text};
use crate::services::{Service, Services};
use crate::shop::{order, why};

/// Rows of the example day that are imported, with the line that names the columns.
const ROWS: usize = 500;
/// Events in the log when the command-service is killed, and when the broker is wiped.
const KILL_AT: u64 = 600;
const WIPE_AT: u64 = 1_000;

/// An order of every payment method, each carried to its end.
async fn place_every_method(platform: &Platform) {
    platform.sell("paid", 100).await;
    let orders = METHODS.map(|(method, end, ..)| async move {
        platform.place(&order(method, "paid", method)).await;
        if end != "rejected" {
            platform.deliver(method).await;
        }
    });
    futures::future::join_all(orders).await;
    for (method, end, _, saga, ..) in METHODS {
        let there = |order: &Value| order["status"] == end && order["sagas"][0]["state"] == saga;
        platform.until(&format!("/v1/orders/{method}"), there).await;
    }
}

/// What one undisturbed process comes to.
async fn embedded(part: &PartOfDay) -> String {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    part.import_all(&platform.url).await;
    place_every_method(&platform).await;
    platform.settle().await;
    platform.terminate().await;
    data.digest().await
}

#[tokio::test]
async fn p9_broker_amnesia_separate_processes_end_as_one_does_though_broker_and_service_are_lost() {
    let Some(mut services) = Services::start().await else { return };
    let part = PartOfDay::of(ROWS);
    let expected = embedded(&part).await;

    let running = part.start_import(&services.gateway.url);
    services.gateway.until_head(KILL_AT).await;
    services.kill(Service::Commands).await;
    services.gateway.until_head(WIPE_AT).await;
    services.wipe_broker();
    running.await.unwrap();
    place_every_method(&services.gateway).await;

    services.until_digest(&expected).await;
    services.verify().await;
    services.terminate().await;
}

#[tokio::test]
async fn personal_data_is_opened_by_the_query_side_until_the_person_is_erased() {
    let Some(services) = Services::start().await else { return };
    let customer = json!({ "customer_id": "ada", "name": "Ada Other", "email": "ada@example.org" });
    let registered = services.gateway.post("/v1/customers", "ada", &customer).await.ok();
    let path = format!("/v1/customers/ada?min_position={}", registered["position"]);
    assert_eq!(services.gateway.get(&path).await.ok()["name"], "Ada Other");
    let erased =
        services.gateway.post("/v1/customers/ada/erase", "erase", &why("asked for it")).await.ok();
    let path = format!("/v1/customers/ada?min_position={}", erased["position"]);
    services.gateway.until(&path, |ada| ada["name"].is_null() && ada["id"] == "ada").await;
    services.terminate().await;
}

#[tokio::test]
async fn a_service_with_another_master_key_says_so_and_ends() {
    let Some(services) = Services::start().await else { return };
    let folder = Data::new();
    let (other, missing) = (folder.path().join("other.key"), folder.path().join("missing.key"));
    std::fs::write(&other, [7; 32]).unwrap();
    for mut command in services.with_master_key(&other) {
        let ended = command.output().await.unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", text(&ended));
        assert!(text(&ended).contains("other.key is not the master key of"), "{}", text(&ended));
    }
    // Who reads waits a while for the one who makes it.
    let [mut commands, _models] = services.with_master_key(&missing);
    let ended = commands.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", text(&ended));
    assert!(!missing.exists(), "no key is made beside keys: {}", text(&ended));
    services.terminate().await;
}

#[tokio::test]
async fn while_a_service_is_away_its_paths_are_503_and_the_others_answer() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("22423", 5).await;
    services.nats.stop().unwrap();
    let receive = json!({ "quantity": 2 });
    let without_broker = services.gateway.post("/v1/stock/22423/receive", "r", &receive).await;
    assert!(without_broker.status.is_success(), "commands need no broker: {without_broker:?}");
    services.nats.start_again().unwrap();
    services.gateway.until("/v1/stock/22423", |stock| stock["available"] == 7).await;
    services.stop(Service::Commands).await;
    let away = services.gateway.post("/v1/stock/22423/receive", "s", &receive).await;
    assert_eq!(away.problem(), (503, "unavailable"));
    assert_eq!(away.header("retry-after"), "1");
    assert_eq!(services.gateway.get("/v1/stock/22423").await.ok()["available"], 7);
}

#[tokio::test]
async fn a_paused_command_service_is_replaced_and_ends_when_it_wakes() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("22423", 5).await;
    let (first, second) =
        (services.take(Service::Commands), services.standby(Service::Commands).await);
    second.until_it_stands_by().await;
    let receive = json!({ "quantity": 2 });
    let standby = second.post("/v1/stock/22423/receive", "early", &receive).await;
    assert_eq!(standby.problem(), (503, "unavailable"));

    first.signal("-STOP").await;
    second.until_ready().await;
    second.post("/v1/stock/22423/receive", "second", &receive).await.ok();
    first.signal("-CONT").await;
    let late = first.post("/v1/stock/22423/receive", "late", &receive).await;
    assert_eq!(late.problem(), (503, "unavailable"), "refused whole: {late:?}");
    assert!(!first.ended().await.success(), "a supervisor starts it anew");
    services.gateway.until("/v1/stock/22423", |stock| stock["available"] == 7).await;
    assert!(second.terminate().await.success());
}

#[tokio::test]
async fn the_gateway_explains_the_whole_api_and_finds_the_active_of_two_command_services() {
    let Some(mut services) = Services::start().await else { return };
    // A service that is slow to tell its part is asked again.
    let told = |api: &Value| api["paths"].is_object();
    let api = services.gateway.until("/openapi.json", told).await;
    for path in ["/v1/orders", "/v1/sagas/{id}/explain", "/v1/projections", "/v1/dead-letters"] {
        assert!(api["paths"][path].is_object(), "{path} is not described");
    }
    for group in ["Orders", "Queries", "Sagas"] {
        let tags = api["tags"].as_array().unwrap();
        assert!(tags.iter().any(|tag| tag["name"] == group), "{group} is no tag of {tags:?}");
    }
    for path in ["/", "/docs/", "/docs/errors/out_of_stock"] {
        assert!(services.gateway.get(path).await.status.is_success(), "{path}");
    }
    let second = services.standby(Service::Commands).await;
    let gateway = services.gateway_before(&[(Service::Commands, &second)]).await;
    gateway.until_whole().await;
    gateway.sell("22423", 5).await;
    let receive = json!({ "quantity": 2 });
    for key in ["a", "b", "c"] {
        gateway.post("/v1/stock/22423/receive", key, &receive).await.ok();
    }
    services.stop(Service::Commands).await;
    second.until_ready().await;
    gateway.post("/v1/stock/22423/receive", "d", &receive).await.ok();
    gateway.until("/v1/stock/22423", |stock| stock["available"] == 13).await;
    assert!(gateway.terminate().await.success());
    assert!(second.terminate().await.success());
}

/// Two schemas of one name would become one when the descriptions are put together, here and in one process, and one of the two
/// services would be described wrongly.
#[tokio::test]
async fn no_two_services_describe_different_things_by_one_name() {
    let Some(services) = Services::start().await else { return };
    let mut known: BTreeMap<String, (Service, Value)> = BTreeMap::new();
    for service in [Service::Commands, Service::Models, Service::Sagas, Service::Notifications] {
        let told = |api: &Value| api["components"]["schemas"].is_object();
        let api = services.of(service).until("/openapi.json", told).await;
        for (name, schema) in api["components"]["schemas"].as_object().unwrap() {
            let (first, was) =
                known.entry(name.clone()).or_insert_with(|| (service, schema.clone()));
            assert_eq!(was, schema, "{name} of {first:?} and of {service:?}");
        }
    }
    services.terminate().await;
}

/// What a version that knows the command would have been sent.
const MENDED: &str = "UPDATE command_service.dead_letters SET body = replace(body, 'Teleport', 'ReleaseStock') \
    WHERE body LIKE '%Teleport%'";

/// A message of the queue with this body.
fn message(command_id: &str, body: &Value) -> String {
    json!({
        "command_id": command_id, "body": body.to_string(), "correlation_id": "order-o1",
        "occurred_at": "2010-12-01T08:26:00Z",
    })
    .to_string()
}

#[tokio::test]
async fn what_nobody_can_carry_out_leaves_the_queue_as_a_dead_letter_and_is_replayed_once() {
    let Some(services) = Services::start().await else { return };
    let broker = services.streams().await;
    let unknown = json!({ "command": "Teleport", "body": { "order_id": "o1" } });
    let no_order = json!({ "command": "ReleaseStock", "body": { "order_id": 7 } });
    for (subject, text) in [
        ("a", "nonsense".to_owned()),
        ("b", message("order-o1/reserve_stock/8", &no_order)),
        ("c", message("order-o1/reserve_stock/9", &unknown)),
    ] {
        let sent = broker.publish(format!("docket.commands.{subject}"), text.into()).await;
        sent.unwrap().await.unwrap();
    }
    let three = |letters: &Value| letters["items"].as_array().is_some_and(|all| all.len() == 3);
    let listed = services.gateway.until("/v1/dead-letters", three).await;
    let id = |cause: &str| {
        let items = listed["items"].as_array().unwrap().iter();
        let mut found = items.filter(|item| item["cause"].as_str().unwrap().contains(cause));
        found.next().unwrap_or_else(|| panic!("{cause}: {listed:#}"))["id"].as_str().unwrap()
    };
    let (nonsense, teleport) = (id("expected ident"), id("Teleport"));
    services.until_the_queue_is_empty().await;
    let letters = async |words: &[&str]| {
        let mut command = docket(&["dead-letters", "--url", &services.gateway.url]);
        let output = command.args(words).output().await.unwrap();
        (output.status.success(), text(&output))
    };
    let (_, table) = letters(&["list"]).await;
    assert!(table.contains(nonsense) && table.contains("expected"), "{table}");
    let (_, shown) = letters(&["show", nonsense]).await;
    assert!(shown.contains("nonsense"), "{shown}");
    let (done, said) = letters(&["replay", nonsense, "--reason", "to see"]).await;
    assert!(!done && said.contains("can't be understood by this version"), "{said}");

    let mut log = PgConnection::connect(&services.urls().log).await.unwrap();
    sqlx::raw_sql(MENDED).execute(&mut log).await.unwrap();
    let ended =
        "SELECT count(*) FROM events WHERE metadata LIKE '%order-o1/reserve_stock/9/replay%'";
    for _ in 0..2 {
        let (done, said) =
            letters(&["replay", teleport, "--reason", "this version knows it"]).await;
        assert!(done, "{said}");
        let effects: i64 = sqlx::query_scalar(ended).fetch_one(&mut log).await.unwrap();
        assert_eq!(effects, 1, "it has its effect once");
    }
    log.close().await.unwrap();
    let (_, all) = letters(&["list", "--all"]).await;
    assert!(all.contains("replayed"), "{all}");
    let (_, left) = letters(&["list"]).await;
    assert!(!left.contains(teleport) && left.contains(nonsense), "{left}");
    services.terminate().await;
}

/// In a silence every look at the whole says so, as the single reads do.
async fn who_looks_on_is_told_that_it_may_be_old(services: &Services) {
    let cause = json!("the log is not heard: it is not known what happened since");
    for (path, parts) in [
        ("/v1/overview", &["sagas_in_attention", "orders_on_hold", "projections"][..]),
        // The customer's name is not to be opened now, unless its key was asked for before.
        ("/v1/dashboard?customer_id=17850", &["orders", "unread_notices"]),
    ] {
        let told = |whole: &Value| {
            let stale = whole["stale_parts"].as_array().cloned().unwrap_or_default();
            parts.iter().all(|part| stale.contains(&json!({ "part": part, "cause": cause })))
        };
        let whole = services.gateway.until(path, told).await;
        assert_eq!(whole["stale"], true, "{whole:#}");
        assert_eq!(services.gateway.get(path).await.header("docket-stale"), "true", "{path}");
    }
    let mut status = docket(&["status", "--url", &services.gateway.url]);
    let status = status.output().await.unwrap();
    let said = text(&status);
    assert_eq!(status.status.code(), Some(1), "{said}");
    assert!(said.contains("may be old: read models: the log is not heard"), "{said}");
    assert!(said.contains("may be old: sagas: ") && said.contains(", or further"), "{said}");
    assert!(!said.contains("up to date"), "{said}");
    let mut models = docket(&["projections", "list", "--url", &services.gateway.url]);
    let models = models.output().await.unwrap();
    assert!(text(&models).contains("what is shown may be old: the log is not heard"));
}

/// Within how many seconds an order has to be confirmed, where the broker is away for longer.
const DEADLINE_S: u32 = 30;
/// A question over a broker that is away would be waited for longer.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_silence_of_the_broker_rejects_no_order_and_reads_say_that_they_may_be_old() {
    let Some(mut services) = Services::start_with_deadline(DEADLINE_S).await else { return };
    services.gateway.sell("22423", 5).await;
    let customer = json!({ "customer_id": "17850", "name": "Ada" });
    services.gateway.post("/v1/customers", "17850", &customer).await.ok();
    let stock = "/v1/stock/22423";
    services.gateway.place(&order("o0", "22423", "pm_ok")).await;
    services.gateway.settle().await;
    let status = docket(&["status", "--url", &services.gateway.url]).output().await.unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", text(&status));
    let overview = services.gateway.get("/v1/overview").await;
    assert_eq!((overview.header("docket-stale"), &overview.body["stale"]), ("", &json!(false)));
    let known = services.gateway.get(stock).await;
    assert_eq!((known.header("docket-stale"), &known.body["stale"]), ("", &Value::Null));

    services.nats.stop().unwrap();
    services.gateway.until(stock, |stock| stock["stale"]["cause"].is_string()).await;
    assert_eq!(services.gateway.get(stock).await.header("docket-stale"), "true");
    who_looks_on_is_told_that_it_may_be_old(&services).await;
    let placed = order("o1", "22423", "pm_ok");
    services.gateway.post("/v1/orders", "o1", &placed).await.ok();
    let begun = Instant::now();
    let late = Duration::from_secs(u64::from(DEADLINE_S) + 2);
    let (mut ticks, mut quickest) = (tokio::time::interval(Duration::from_millis(500)), late);
    while begun.elapsed() < late {
        ticks.tick().await;
        let asked = Instant::now();
        let read = services.gateway.get("/v1/orders/o0").await;
        assert_eq!(
            (read.header("docket-stale"), &read.body["status"]),
            ("true", &"confirmed".into())
        );
        let reopened = services.gateway.get("/v1/orders/o0/stream").await;
        assert_eq!(reopened.problem(), (503, "unavailable"));
        quickest = quickest.min(asked.elapsed());
    }
    // Whoever waited for the broker would have waited each time; a machine that builds at the same time is slow at times.
    assert!(quickest < AT_ONCE, "{quickest:?}");

    services.nats.start_again().unwrap();
    let decided = |order: &Value| order["status"].as_str().is_some_and(|is| is != "placed");
    let order = services.gateway.until("/v1/orders/o1", decided).await;
    assert_eq!(order["status"], "confirmed", "{order:#}");
    services.gateway.until(stock, |stock| stock["stale"].is_null()).await;
    services.terminate().await;
}
