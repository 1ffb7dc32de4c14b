//! A service that stands still longer than its lease is replaced; when it wakes, it is refused whole.

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::part_of_day::PartOfDay;
use crate::platform::Platform;
use crate::services::{Service, Services};

/// Rows of the example day that are imported, with the line that names the columns.
const ROWS: usize = 300;
/// Events in the log when the services are paused.
const PAUSE_AT: u64 = 300;

/// Who holds a lease, as `process <id>`, and how many held it so far.
async fn holder(database: &str, schema: &str, lease: &str) -> (String, i64) {
    let mut connection = PgConnection::connect(database).await.unwrap();
    let statement = format!("SELECT holder, token FROM {schema}.leases WHERE name = '{lease}'");
    let statement = sqlx::query_as(sqlx::AssertSqlSafe(statement));
    let holder = statement.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    holder
}

/// Waits until this process holds the lease as the second one.
async fn until_held_by(second: &Platform, database: &str, schema: &str, lease: &str) {
    let second = format!("process {}", second.id());
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
    let begun = std::time::Instant::now();
    loop {
        ticks.tick().await;
        let held = holder(database, schema, lease).await;
        if held == (second.clone(), 2) {
            return;
        }
        assert!(begun.elapsed() < crate::platform::PATIENCE, "{lease} is held by {held:?}");
    }
}

#[tokio::test]
async fn p5_exactly_once_a_paused_service_is_replaced_and_refused_whole_when_it_wakes() {
    let Some(mut services) = Services::start().await else { return };
    let part = PartOfDay::of(ROWS);
    let expected = part.undisturbed().await;
    let (second_models, second_sagas) =
        (services.standby(Service::Models).await, services.standby(Service::Sagas).await);
    second_models.until_it_stands_by().await;
    second_sagas.until_it_stands_by().await;
    assert_eq!(second_models.get("/v1/orders").await.problem(), (503, "unavailable"));

    let importing = part.start_import(&services.gateway.url);
    services.gateway.until_head(PAUSE_AT).await;
    let (first_models, first_sagas) =
        (services.take(Service::Models), services.take(Service::Sagas));
    first_models.signal("-STOP").await;
    first_sagas.signal("-STOP").await;
    let urls = services.urls().clone();
    until_held_by(&second_models, &urls.models, "read_models", "projection-service").await;
    until_held_by(&second_sagas, &urls.sagas, "sagas", "saga-orchestrator").await;
    let reads = |models: &Value| models["items"][0]["position"].as_u64() >= Some(PAUSE_AT);
    second_models.until("/v1/projections", reads).await;

    first_models.signal("-CONT").await;
    first_sagas.signal("-CONT").await;
    assert!(!first_models.ended().await.success(), "a supervisor starts it anew");
    first_sagas.until_it_stands_by().await;
    services.put(Service::Sagas, first_sagas);
    services.restart(Service::Models).await;
    assert_eq!(
        services.of(Service::Models).get("/v1/orders").await.problem(),
        (503, "unavailable")
    );

    // The gateway knows the first ones' addresses; who ends in order hands its lease over.
    assert!(second_models.terminate().await.success());
    assert!(second_sagas.terminate().await.success());
    importing.await.unwrap();
    services.until_digest(&expected.digest).await;
    services.verify().await;
    services.terminate().await;
}
