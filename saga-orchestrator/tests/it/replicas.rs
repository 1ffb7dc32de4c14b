//! Several orchestrators on one database: one is active, the others wait and show what it writes.

use std::time::Duration;

use axum::http::StatusCode;
use event_store::EventLog as _;
use saga_orchestrator::{Phase, Settings, Status};
use serde_json::json;
use storage::{Durability, LeaseSettings, Store};

use crate::bench::{Bench, Running, on_both};
use crate::shop::Shop;

on_both! {
    one_is_active_and_the_other_takes_over,
    one_that_stops_gives_way_at_once,
    one_whose_lease_was_taken_is_refused_whole,
    one_of_another_log_does_not_wait_for_sagas_that_are_not_its_own,
}

async fn start(bench: &Bench, holder: &str, lasts: Duration) -> Running {
    let lease = LeaseSettings { lasts, ..LeaseSettings::new("orchestrator", holder) };
    let settings = Settings { lease: Some(lease), ..bench.settings() };
    bench.start_with(settings, bench.feed()).await
}

fn is_standby(status: &Status) -> bool {
    status.phase == Phase::Standby
}

async fn one_is_active_and_the_other_takes_over(bench: Bench) {
    let first = start(&bench, "first", Duration::from_secs(2)).await;
    first.until_live().await;
    let second = start(&bench, "second", Duration::from_secs(2)).await;
    second.until("it waits", is_standby).await;
    bench.shop.place("o1", "pm_ok", 1).await;
    first.until_saga("order-o1", "waiting", "complete_order").await;
    let position = first.orchestrator.status().position;
    let told = second.until("it follows", |status| status.position >= position).await;
    assert!(is_standby(&told));
    assert_eq!(second.get("/sagas/order-o1").await.1["state"], "waiting");
    let (refused, _) =
        second.post("/sagas/order-o1/retry", Some("k"), json!({ "reason": "again" })).await;
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    first.orchestrator.kill().await;
    second.until_live().await;
    bench.shop.place("o2", "pm_ok", 1).await;
    second.until_saga("order-o2", "waiting", "complete_order").await;
}

async fn one_that_stops_gives_way_at_once(bench: Bench) {
    // Longer than the test waits: nobody waits for its end.
    let lasts = Duration::from_mins(10);
    let first = start(&bench, "first", lasts).await;
    first.until_live().await;
    let second = start(&bench, "second", lasts).await;
    second.until("it waits", is_standby).await;
    first.orchestrator.shutdown().await;
    second.until_live().await;
}

async fn one_whose_lease_was_taken_is_refused_whole(bench: Bench) {
    let lasts = Duration::from_mins(10);
    let sleeper = start(&bench, "sleeper", lasts).await;
    sleeper.until_live().await;
    let before = sleeper.orchestrator.status();
    // What a standby does when a lease has run out, while its holder sleeps and does not hear of it.
    let store = Store::open(&bench.location("sagas"), Durability::Full, 1).await.unwrap();
    let take = "UPDATE leases SET token = token + 1, holder = 'another'";
    assert_eq!(store.writer().await.unwrap().query(take).execute().await.unwrap(), 1);
    bench.shop.place("o1", "pm_ok", 1).await;
    let after = sleeper.until("it gives way", is_standby).await;
    assert_eq!(after.position, before.position);
    assert_eq!(sleeper.get("/sagas/order-o1").await.0, StatusCode::NOT_FOUND);
    store.close().await;
}

async fn one_of_another_log_does_not_wait_for_sagas_that_are_not_its_own(mut bench: Bench) {
    let lasts = Duration::from_mins(10);
    let first = start(&bench, "first", lasts).await;
    first.until_live().await;
    let log = bench.shop.log.identity().log;
    bench.shop = Shop::open(&bench.clock).await;
    let stranger = start(&bench, "stranger", lasts).await;
    let is_faulted = |status: &Status| matches!(status.phase, Phase::Faulted { .. });
    let status = stranger.until("it stands still", is_faulted).await;
    let Phase::Faulted { cause, .. } = status.phase else { panic!("{:?}", status.phase) };
    let (of_first, of_stranger) = (&*log, &*bench.shop.log.identity().log);
    assert!(cause.contains(of_first) && cause.contains(of_stranger), "{cause}");
    assert!(cause.contains("a database of their own"), "{cause}");
    // Also when nobody is active any more.
    first.orchestrator.shutdown().await;
    let again = start(&bench, "stranger", lasts).await;
    again.until("it stands still", is_faulted).await;
}

#[tokio::test]
async fn a_database_that_is_killed_costs_seconds_and_no_saga() {
    let mut server = match test_servers::Postgres::start() {
        Ok(server) => server,
        Err(missing) => return test_servers::skipped(&missing),
    };
    let bench = Bench::on_server(&server).await;
    let running = start(&bench, "only", Duration::from_secs(2)).await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    server.kill().unwrap();
    bench.shop.place("o2", "pm_ok", 1).await;
    let away = |status: &Status| matches!(status.phase, Phase::Retrying { .. });
    running.until("it notices", away).await;
    // Nobody else is there: also when its lease has run out it never says that it stands by.
    let unasked = |status: &Status| {
        assert_ne!(status.phase, Phase::Standby);
        matches!(&status.phase, Phase::Retrying { cause } if cause == "the lease can't be asked for")
    };
    running.until("its lease runs out", unasked).await;
    assert_eq!(running.get("/sagas/order-o1").await.0, StatusCode::SERVICE_UNAVAILABLE);
    server.start_again().unwrap();
    running.until_saga("order-o2", "waiting", "complete_order").await;
    assert_eq!(running.get("/sagas/order-o1").await.1["state"], "waiting");
}
