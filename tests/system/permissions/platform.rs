//! The platform as separate processes, each with its own identity, on `deploy/nats/single.conf`.

use serde_json::json;

use crate::deployment::Deployment;
use crate::erasure::erase_a_person;
use crate::services::{Service, Services};
use crate::shop::order;

/// Places an order and carries it to its end, through every service.
async fn carry_out(services: &Services, id: &str) {
    let gateway = &services.gateway;
    let placed = gateway.place(&order(id, "22423", "pm_ok")).await;
    assert_eq!(placed["status"], "confirmed", "{placed:#}");
    gateway.deliver(id).await;
    let path = format!("/v1/orders/{id}");
    let ended = gateway.until(&path, |order| order["status"] == "completed").await;
    assert!(ended["sagas"].as_array().is_some_and(|sagas| sagas.len() == 1), "{ended:#}");
}

#[tokio::test]
async fn with_its_own_identity_each_service_does_all_that_it_is_for_and_nothing_is_refused() {
    let deployment = Deployment::lay_out();
    let Some(mut services) = Services::start_on_deployed_nats(deployment).await else { return };
    services.gateway.sell("22423", 100).await;
    // Webhooks and rebuilds are recorded in the log by its owner, on behalf of whoever carries them out.
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["order.placed"], "reason": "go live" });
    let hook = services.gateway.post("/v1/webhooks", "hook", &hook).await;
    assert_eq!(hook.status, 201, "{hook:?}");
    carry_out(&services, "before").await;
    // People's keys are asked for, and forgotten when they hear of it.
    erase_a_person(&services.gateway).await;
    let why = json!({ "reason": "to see whether it is the same" });
    let rebuild = services.gateway.post("/v1/projections/orders/rebuild", "r", &why).await;
    assert_eq!(rebuild.status, 202, "{rebuild:?}");

    // Both streams are made anew by their owner, and what is missing is read from the log.
    services.wipe_broker();
    carry_out(&services, "after-the-broker-forgot-everything").await;
    // What a standby needs when it takes over, and what is asked at a start that is not the first.
    for service in [Service::Commands, Service::Models, Service::Sagas, Service::Notifications] {
        services.kill(service).await;
    }
    services.until_all_are_ready().await;
    carry_out(&services, "after-everything-was-killed").await;
    services.gateway.settle().await;
    services.verify().await;

    let log = services.nats.log();
    let refused: Vec<_> = log.lines().filter(|line| line.contains("Violation")).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(log.contains("Server is ready"), "{log}");
    services.terminate().await;
}
