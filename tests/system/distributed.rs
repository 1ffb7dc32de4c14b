//! The services as separate processes do what one process does, also when some of them are lost under way.

use serde_json::{Value, json};

use crate::part_of_day::PartOfDay;
use crate::payment_methods::METHODS;
use crate::platform::{Data, Platform, docket, text};
use crate::services::{Service, Services};
use crate::shop::order;

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
    let erased = services.gateway.post("/v1/customers/ada/erase", "erase", &json!({})).await.ok();
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
    for mut command in services.with_master_key(&missing) {
        let ended = command.output().await.unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", text(&ended));
        assert!(!missing.exists(), "no key is made beside keys: {}", text(&ended));
    }
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
    let stands_by = |health: &Value| health["parts"]["log"].as_str().is_some_and(|log| log != "up");
    second.until("/health/ready", stands_by).await;
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
    for path in ["/", "/docs/", "/docs/errors/out_of_stock"] {
        assert!(services.gateway.get(path).await.status.is_success(), "{path}");
    }
    let second = services.standby(Service::Commands).await;
    let gateway = services.gateway_before(&second).await;
    gateway.until_ready().await;
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

#[tokio::test]
async fn a_message_that_is_no_command_is_a_dead_letter_at_the_gateway_and_on_the_command_line() {
    let Some(services) = Services::start().await else { return };
    let broker = async_nats::connect(services.nats.url()).await.unwrap();
    broker.publish("docket.commands.nonsense", "nonsense".into()).await.unwrap();
    broker.flush().await.unwrap();
    let one = |letters: &Value| letters["items"].as_array().is_some_and(|all| all.len() == 1);
    let listed = services.gateway.until("/v1/dead-letters", one).await;
    let id = listed["items"][0]["id"].as_str().unwrap();
    let letters = async |words: &[&str]| {
        let mut command = docket(&["dead-letters", "--url", &services.gateway.url]);
        command.args(words).output().await.unwrap()
    };
    let table = crate::platform::text(&letters(&["list"]).await);
    assert!(table.contains(id) && table.contains("expected"), "{table}");
    let shown = crate::platform::text(&letters(&["show", id]).await);
    assert!(shown.contains("nonsense"), "{shown}");
    let refused = letters(&["replay", id, "--reason", "to see"]).await;
    assert!(!refused.status.success());
    let said = crate::platform::text(&refused);
    assert!(said.contains("can't be understood by this version"), "{said}");
    services.terminate().await;
}
