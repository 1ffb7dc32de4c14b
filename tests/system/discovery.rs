//! A gateway that is told of no address: it finds the services over NATS, and goes on with those that it knows while NATS is away.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::deployment::Deployment;
use crate::platform::{PATIENCE, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

/// Longer than a process is remembered that is not heard any more.
const AWAY_FOR: Duration = Duration::from_secs(13);

/// Waits until the gateway knows so many processes of the read models.
async fn until_known(gateway: &Platform, count: usize) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let wanted = format!("docket_gateway_instances{{upstream=\"projection-service\"}} {count}");
    loop {
        ticks.tick().await;
        let metrics = gateway.text("/metrics").await;
        if metrics.lines().any(|line| line == wanted) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not {wanted}: {metrics}");
    }
}

#[tokio::test]
async fn processes_that_come_go_and_move_are_found_over_nats_alone() {
    let deployment = Deployment::lay_out();
    let Some(mut services) = Services::start_on_deployed_nats(deployment).await else { return };
    let gateway = services.gateway_by_nats().await;
    gateway.until_whole().await;
    gateway.sell("cup", 100).await;
    let placed = gateway.place(&order("first", "cup", "pm_ok")).await;
    assert_eq!(placed["status"], "confirmed", "{placed:#}");
    until_known(&gateway, 1).await;

    // One is added, and found.
    let second = services.standby(Service::Models).await;
    until_known(&gateway, 2).await;
    // One is killed: the other takes over, and the first is forgotten.
    services.take(Service::Models).kill().await;
    gateway.until("/v1/stock/cup", |stock| stock["available"] == 98).await;
    until_known(&gateway, 1).await;
    // The one that is left moves to another port.
    second.kill().await;
    let moved = services.standby(Service::Models).await;
    services.put(Service::Models, moved);
    gateway.until("/v1/stock/cup", |stock| stock["available"] == 98).await;
    until_known(&gateway, 1).await;
    gateway.until_whole().await;

    // NATS is away, for longer than anybody is remembered who is not heard: requests go on.
    services.nats.stop().unwrap();
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    let mut received = 0;
    while begun.elapsed() < AWAY_FOR {
        ticks.tick().await;
        received += 1;
        let key = format!("away-{received}");
        gateway.post("/v1/stock/cup/receive", &key, &json!({ "quantity": 1 })).await.ok();
        gateway.get("/v1/stock/cup").await.ok();
    }
    let health = gateway.get("/health/ready").await.ok();
    assert_eq!(health["status"], "ready", "{health:#}");
    assert!(health["parts"]["nats"].as_str().unwrap().starts_with("degraded"), "{health:#}");
    until_known(&gateway, 1).await;
    services.nats.start_again().unwrap();
    let units = 98 + received;
    gateway.until("/v1/stock/cup", |stock| stock["available"] == units).await;
    gateway.until_whole().await;
    let log = services.nats.log();
    let refused: Vec<_> = log.lines().filter(|line| line.contains("Violation")).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(gateway.terminate().await.success());
    services.terminate().await;
}

#[tokio::test]
async fn a_process_that_can_t_say_where_it_is_does_not_start() {
    let mut service = crate::platform::docket(&["projection-service", "--listen", "0.0.0.0:0"]);
    let database = "postgres://nobody@127.0.0.1:1/reads";
    service.args(["--postgres-url", database, "--nats-url", "nats://127.0.0.1:1"]);
    service.args(["--master-key-file", "no-key", "--advertise-url", "http://0.0.0.0:8082"]);
    let output = service.output().await.unwrap();
    let said = crate::platform::text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("it tells nobody where the process is"), "{said}");
}
