//! Two of each service behind one gateway: the active ones are paused, and clients hear nothing of it but a moment's wait.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::platform::{Answer, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

/// Services of which there are two.
const TWICE: [Service; 4] =
    [Service::Commands, Service::Models, Service::Sagas, Service::Notifications];
/// A takeover takes the four seconds of a lease, and what starting takes on a machine that builds at the same time. The gateway
/// would wait 35 s for an answer.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(25);
/// What is asked after the takeover waits for nothing.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Writes under way at the same time, and how many of them there are after the takeover.
const WRITERS: u32 = 4;
const WRITES_AFTERWARDS: u32 = 20;
/// More than are read until a takeover is over.
const CUSTOMERS: u32 = 400;

/// Writes one after another until `enough`; counts them.
async fn write(gateway: &Platform, writer: u32, written: &Cell<u32>, enough: &Cell<bool>) {
    for write in 0.. {
        if enough.get() {
            return;
        }
        receive(gateway, &format!("{writer}-{write}")).await.ok();
        written.set(written.get() + 1);
    }
}

/// Reads of one customer after another, each for the first time, until `enough`: only who keeps the keys can say what opens them.
async fn read_customers(gateway: &Platform, enough: &Cell<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(25));
    for customer in 0..CUSTOMERS {
        if enough.get() {
            return;
        }
        let read = gateway.get(&format!("/v1/customers/c-{customer}")).await;
        assert_eq!(read.ok()["name"], "Ada", "{customer}");
        ticks.tick().await;
    }
}

async fn receive(gateway: &Platform, key: &str) -> Answer {
    gateway.post("/v1/stock/cup/receive", key, &json!({ "quantity": 1 })).await
}

#[tokio::test]
async fn when_the_active_ones_are_paused_what_was_asked_is_answered_by_those_that_take_over() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 7).await;
    assert_eq!(
        services.gateway.place(&order("before", "cup", "pm_ok")).await["status"],
        "confirmed"
    );
    services.gateway.settle().await;
    let mut seconds = Vec::new();
    for service in TWICE {
        seconds.push(services.standby(service).await);
    }
    for second in &seconds {
        second.until_it_stands_by().await;
        assert_eq!(second.get("/health/ready").await.body["active"], false);
        assert!(second.text("/metrics").await.contains("docket_active 0"));
    }
    let both: Vec<_> = TWICE.into_iter().zip(&seconds).collect();
    let gateway = services.gateway_before(&both).await;
    gateway.until_whole().await;

    let firsts = TWICE.map(|service| services.take(service));
    for first in &firsts {
        first.signal("-STOP").await;
    }
    let begun = Instant::now();
    let (read, written, followed, told) = tokio::join!(
        gateway.get("/v1/stock/cup"),
        receive(&gateway, "held"),
        gateway.get("/v1/sagas"),
        gateway.get("/v1/webhooks"),
    );
    // What was written at the same time may be seen or not.
    let available = read.ok()["available"].as_u64();
    assert!([Some(5), Some(6)].contains(&available), "{available:?}");
    written.ok();
    followed.ok();
    told.ok();
    let held = begun.elapsed();
    assert!(held < TAKEN_OVER_WITHIN, "{held:?}");
    gateway.until_whole().await;
    for turn in 0..6 {
        let begun = Instant::now();
        gateway.get("/v1/stock/cup").await.ok();
        gateway.get("/v1/sagas").await.ok();
        gateway.get("/v1/webhooks").await.ok();
        receive(&gateway, &format!("after-{turn}")).await.ok();
        assert!(begun.elapsed() < ANSWERED_WITHIN, "{turn}: {:?}", begun.elapsed());
    }
    for second in &seconds {
        assert_eq!(second.get("/health/ready").await.body["active"], true);
    }

    for first in &firsts {
        first.signal("-CONT").await;
    }
    let [first_commands, first_models, first_sagas, first_notifications] = firsts;
    assert!(!first_commands.ended().await.success(), "a supervisor starts it anew");
    assert!(!first_models.ended().await.success(), "a supervisor starts it anew");
    assert!(!first_notifications.ended().await.success(), "a supervisor starts it anew");
    first_sagas.until_it_stands_by().await;
    // Each key had one effect, wherever it was carried out.
    receive(&gateway, "held").await.ok();
    gateway.until("/v1/stock/cup", |stock| stock["available"] == 12).await;
    assert_eq!(gateway.place(&order("after", "cup", "pm_ok")).await["status"], "confirmed");
    gateway.until("/v1/stock/cup", |stock| stock["available"] == 10).await;
    services.verify().await;
}

#[tokio::test]
async fn when_the_active_one_is_killed_no_writer_and_no_reader_hears_of_it_but_by_a_moments_wait() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 7).await;
    assert_eq!(services.gateway.place(&order("o1", "cup", "pm_ok")).await["status"], "confirmed");
    let second = services.standby(Service::Commands).await;
    second.until_it_stands_by().await;
    let gateway = services.gateway_before(&[(Service::Commands, &second)]).await;
    gateway.until_whole().await;
    for customer in 0..CUSTOMERS {
        let known = json!({ "customer_id": format!("c-{customer}"), "name": "Ada" });
        gateway.post("/v1/customers", &format!("c-{customer}"), &known).await.ok();
    }
    gateway.settle().await;

    let (written, enough) = (Cell::new(0), Cell::new(false));
    let until_written = async |count: u32| {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while written.get() < count {
            looks.tick().await;
        }
    };
    let writers = join_all((0..WRITERS).map(|one| write(&gateway, one, &written, &enough)));
    let kill = async {
        until_written(WRITES_AFTERWARDS).await;
        services.take(Service::Commands).kill().await;
        second.until_ready().await;
        until_written(written.get() + WRITES_AFTERWARDS).await;
        enough.set(true);
    };
    tokio::join!(writers, kill, read_customers(&gateway, &enough));
    let units = u64::from(written.get()) + 5;
    gateway.until("/v1/stock/cup", |stock| stock["available"] == units).await;
    services.verify().await;
}
