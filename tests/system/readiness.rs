//! What a process says of itself while something that it needs is away: within seconds, as long as it lasts, and no longer.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use test_servers::Forwards;

use crate::services::{Service, Services};

/// Those with a database.
const WITH_DATABASE: [Service; 4] =
    [Service::Commands, Service::Models, Service::Sagas, Service::Notifications];
/// Four seconds on a quiet machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(20);

fn part<'a>(health: &'a Value, name: &str) -> &'a str {
    health["parts"][name].as_str().unwrap_or_default()
}

/// A gateway without a command-service is ready all the same: what else it is asked it has answered.
fn takes_no_commands(health: &Value) -> bool {
    assert_eq!(health["status"], "ready", "{health}");
    part(health, "command-service").starts_with("degraded: ")
}

/// Every process with a database says that it can't use it, and the gateway that nobody is there; all are alive.
async fn all_say_that_the_database_is_away(services: &Services) {
    let begun = Instant::now();
    let away = |health: &Value| {
        health["status"] == "not_ready" && part(health, "database").starts_with("can't be used: ")
    };
    for service in WITH_DATABASE {
        services.of(service).until("/health/ready", away).await;
    }
    services.gateway.until("/health/ready", |health| health["status"] == "not_ready").await;
    assert!(begun.elapsed() < NOTICED_WITHIN, "{:?}", begun.elapsed());
    // Also when the lease has run out, which nobody else can have taken.
    let unasked = |health: &Value| part(health, "sagas").contains("the lease can't be asked for");
    services.of(Service::Sagas).until("/health/ready", unasked).await;
    for service in WITH_DATABASE {
        let process = services.of(service);
        assert_eq!(process.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(process.get("/health/live").await.status, StatusCode::OK);
    }
    let gateway = services.gateway.get("/health/ready").await;
    assert_eq!(gateway.status, StatusCode::SERVICE_UNAVAILABLE, "{gateway:?}");
}

#[tokio::test]
async fn while_postgres_is_dead_no_process_with_a_database_is_ready() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    services.gateway.sell("cup", 5).await;
    services.postgres().kill().unwrap();
    all_say_that_the_database_is_away(&services).await;
    services.postgres().start_again().unwrap();
    services.until_all_are_ready().await;
    services.terminate().await;
}

#[tokio::test]
async fn while_postgres_is_silent_no_process_with_a_database_is_ready() {
    let Some(services) = Services::start_behind_a_proxy().await else { return };
    services.gateway.sell("cup", 5).await;
    services.proxy().set(Forwards::Nothing);
    all_say_that_the_database_is_away(&services).await;
    services.proxy().set(Forwards::Everything);
    services.until_all_are_ready().await;
    services.terminate().await;
}

#[tokio::test]
async fn a_command_service_that_can_append_nothing_is_not_ready_though_its_database_answers() {
    let Some(services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    let mut neighbour = PgConnection::connect(&services.urls().log).await.unwrap();
    let lock = "BEGIN; SELECT token FROM log_writer FOR UPDATE";
    sqlx::raw_sql(lock).execute(&mut neighbour).await.unwrap();
    let begun = Instant::now();
    let receive = json!({ "quantity": 2 });
    let asked = services.gateway.post("/v1/stock/cup/receive", "more", &receive);
    let said = async {
        let cannot_append = |health: &Value| {
            health["status"] == "not_ready"
                && part(health, "event_log").starts_with("can't be used: an append ")
        };
        let health = services.of(Service::Commands).until("/health/ready", cannot_append).await;
        assert_eq!(part(&health, "database"), "up");
        services.gateway.until("/health/ready", takes_no_commands).await;
        assert!(begun.elapsed() < NOTICED_WITHIN, "{:?}", begun.elapsed());
        neighbour.close().await.unwrap();
    };
    let (answer, ()) = tokio::join!(asked, said);
    services.until_all_are_ready().await;
    // It was done when the lock was gone, or it is done now.
    if answer.status != StatusCode::OK {
        services.gateway.post("/v1/stock/cup/receive", "more", &receive).await.ok();
    }
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == 7).await;
    services.terminate().await;
}

#[tokio::test]
async fn without_nats_the_gateway_stays_ready_and_takes_commands() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    services.nats.stop().unwrap();
    let receive = json!({ "quantity": 2 });
    let degraded = |health: &Value| {
        let is_degraded = |name| part(health, name).starts_with("degraded: ");
        assert_eq!(health["status"], "ready", "{health}");
        is_degraded("projection-service")
            && is_degraded("saga-orchestrator")
            && is_degraded("notification-service")
    };
    services.gateway.until("/health/ready", degraded).await;
    services.gateway.post("/v1/stock/cup/receive", "without", &receive).await.ok();

    services.nats.start_again_without_jetstream().unwrap();
    let no_jetstream = |health: &Value| part(health, "jetstream").contains("it needs `-js`");
    for service in WITH_DATABASE {
        services.of(service).until("/health/ready", no_jetstream).await;
    }
    services.nats.stop().unwrap();
    services.nats.start_again().unwrap();
    services.until_all_are_ready().await;
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == 7).await;

    // One that waits for another says so.
    services.stop(Service::Commands).await;
    services.stop(Service::Models).await;
    services.restart(Service::Models).await;
    let waits = |health: &Value| {
        part(health, "projection-service").contains("waits for the command-service")
    };
    services.of(Service::Models).until("/health/ready", waits).await;
    services.restart(Service::Commands).await;
    services.until_all_are_ready().await;
    services.terminate().await;
}

#[tokio::test]
async fn a_broker_without_the_majority_of_its_servers_is_said_by_every_process() {
    let Some(mut services) = Services::start_with_three_nats().await else { return };
    services.kill_the_majority_of_nats();
    let carries_nothing = |health: &Value| {
        let said = part(health, "jetstream");
        said.starts_with("degraded: ") && said != "degraded: NATS is not connected"
    };
    for service in WITH_DATABASE {
        services.of(service).until("/health/ready", carries_nothing).await;
    }
    services.start_the_majority_of_nats();
    services.until_all_are_ready().await;
    services.terminate().await;
}
