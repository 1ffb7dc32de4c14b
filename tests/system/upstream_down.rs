//! One service is down behind the gateway: what it would answer fails at once, all else is untouched, and when it is back nobody has to try.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::platform::{PATIENCE, Platform};
use crate::services::{Service, Services};

/// Nobody is waited for; machines that build at the same time are slow.
const AT_ONCE: Duration = Duration::from_secs(2);
const ASKED: usize = 50;
/// Writers at the same time, each with a connection of the gateway's of its own, and how much they write before the signal.
const WRITERS: usize = 40;
const WRITTEN_BEFORE: u64 = 400;

/// The value of a series of the gateway's that has these labels.
async fn value(gateway: &Platform, series: &str, upstream: &str) -> Option<f64> {
    let metrics = gateway.text("/metrics").await;
    let label = format!("upstream=\"{upstream}\"");
    let line = metrics.lines().find(|line| line.starts_with(series) && line.contains(&label))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

async fn until(gateway: &Platform, series: &str, upstream: &str, wanted: f64) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let value = value(gateway, series, upstream).await;
        if value == Some(wanted) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{series} of {upstream} stayed {value:?}");
    }
}

#[tokio::test]
async fn while_one_service_is_down_its_reads_fail_at_once_and_all_else_goes_on() {
    const STATE: &str = "docket_gateway_breaker_state{";
    const OPENS: &str = "docket_gateway_breaker_opens_total{";
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == 5).await;
    for upstream in ["command-service", "projection-service", "saga-orchestrator"] {
        until(&services.gateway, STATE, upstream, 0.0).await;
    }

    // Whoever is not there is not behind: a write that waits for it would wait in vain.
    let strict = services.gateway_that_means(Duration::from_millis(50)).await;
    until(&strict, STATE, "projection-service", 0.0).await;

    services.take(Service::Models).kill().await;
    until(&services.gateway, STATE, "projection-service", 2.0).await;
    until(&strict, STATE, "projection-service", 2.0).await;
    let gateway = &services.gateway;
    let begun = Instant::now();
    for answer in join_all((0..ASKED).map(|_| gateway.get("/v1/stock/cup"))).await {
        assert_eq!(answer.problem(), (503, "unavailable"));
        assert_eq!(answer.body["detail"], "projection-service does not answer");
        // Longer after each question in vain.
        let seconds: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=15).contains(&seconds), "{seconds}");
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let begun = Instant::now();
    for write in 0..ASKED {
        let key = format!("meanwhile-{write}");
        strict.post("/v1/stock/cup/receive", &key, &json!({ "quantity": 1 })).await.ok();
    }
    gateway.get("/v1/sagas").await.ok();
    let overview = gateway.get("/v1/overview").await.ok();
    assert_eq!((&overview["partial"], &overview["sagas_in_attention"]), (&true.into(), &json!([])));
    let missing: Vec<_> = overview["missing"].as_array().unwrap().iter().collect();
    assert_eq!(missing.len(), 2, "{overview:#}");
    for (missing, part) in missing.iter().zip(["orders_on_hold", "projections"]) {
        assert_eq!((&missing["part"], &missing["code"]), (&part.into(), &"unavailable".into()));
        assert!(overview[part].is_null(), "{overview:#}");
    }
    let dashboard = gateway.get("/v1/dashboard?customer_id=c").await.ok();
    let unread = (&dashboard["partial"], &dashboard["unread_notices"]);
    assert_eq!(unread, (&true.into(), &json!([])), "the only part that is there");
    let parts: Vec<_> = dashboard["missing"].as_array().unwrap().iter().collect();
    assert_eq!([&parts[0]["part"], &parts[1]["part"]], ["customer", "orders"], "{dashboard:#}");
    assert_eq!(gateway.get("/health/ready").await.ok()["status"], "ready");
    for upstream in ["command-service", "saga-orchestrator"] {
        assert_eq!(value(gateway, STATE, upstream).await, Some(0.0), "{upstream}");
        assert_eq!(value(gateway, OPENS, upstream).await, None, "{upstream}");
    }
    assert!(begun.elapsed() < AT_ONCE * 5, "{:?}", begun.elapsed());

    services.restart(Service::Models).await;
    until(&services.gateway, STATE, "projection-service", 0.0).await;
    assert_eq!(value(&services.gateway, OPENS, "projection-service").await, Some(1.0));
    services.gateway.until_whole().await;
    let customer = json!({ "customer_id": "c", "name": "Ada" });
    services.gateway.post("/v1/customers", "c", &customer).await.ok();
    let known = |customer: &serde_json::Value| customer["id"] == "c";
    services.gateway.until("/v1/customers/c", known).await;
    services.take(Service::Notifications).kill().await;
    until(&services.gateway, STATE, "notification-service", 2.0).await;
    let dashboard = services.gateway.get("/v1/dashboard?customer_id=c").await.ok();
    let missing = (&dashboard["missing"][0]["part"], &dashboard["unread_notices"]);
    assert_eq!(missing, (&"unread_notices".into(), &serde_json::Value::Null), "{dashboard:#}");
    assert_eq!((&dashboard["partial"], &dashboard["orders"]), (&true.into(), &json!([])));
    let units = 5 + ASKED;
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == units).await;
}

#[tokio::test]
async fn without_whoever_keeps_the_keys_personal_data_is_unavailable_and_all_other_reads_go_on() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    let customer = json!({ "customer_id": "c", "name": "Ada" });
    services.gateway.post("/v1/customers", "c", &customer).await.ok();
    services.gateway.settle().await;
    services.take(Service::Commands).kill().await;
    let gateway = &services.gateway;
    // The first one waits for another to take over.
    gateway.get("/v1/customers/c").await;
    let begun = Instant::now();
    for _ in 0..ASKED {
        let answer = gateway.get("/v1/customers/c").await;
        assert_eq!(answer.problem(), (503, "unavailable"));
        answer.header("retry-after").parse::<u32>().unwrap();
        gateway.get("/v1/stock/cup").await.ok();
    }
    assert!(begun.elapsed() < AT_ONCE * 5, "{:?}", begun.elapsed());
    assert_eq!(gateway.get("/health/ready").await.ok()["status"], "ready");
    services.restart(Service::Commands).await;
    services.gateway.until("/v1/customers/c", |customer| customer["name"] == "Ada").await;
}

#[tokio::test]
async fn no_command_is_left_in_doubt_by_a_service_that_is_asked_to_end() {
    let Some(mut services) = Services::start().await else { return };
    services.restart_with_the_usual_delay(Service::Commands).await;
    services.gateway.until_whole().await;
    services.gateway.sell("cup", 1).await;
    let process = services.take(Service::Commands);
    let gateway = &services.gateway;
    let (written, gone) = (Cell::new(0), Cell::new(false));
    let writers = join_all((0..WRITERS).map(async |writer| {
        for write in 0.. {
            let (key, body) = (format!("{writer}-{write}"), json!({ "quantity": 1 }));
            let answer = gateway.post("/v1/stock/cup/receive", &key, &body).await;
            if answer.status.is_success() {
                written.set(written.get() + 1);
            } else {
                assert_eq!(answer.problem(), (503, "unavailable"), "{answer:?}");
            }
            if gone.get() {
                return;
            }
        }
    }));
    let ends = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while written.get() < WRITTEN_BEFORE {
            looks.tick().await;
        }
        assert!(process.terminate().await.success());
        gone.set(true);
    };
    tokio::join!(writers, ends);
    services.restart(Service::Commands).await;
    let units = written.get() + 1;
    services.gateway.until("/v1/stock/cup", |stock| stock["available"] == units).await;
}
