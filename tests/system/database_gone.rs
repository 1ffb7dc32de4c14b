//! PostgreSQL is killed under running processes: clear refusals, recovery without help, nothing acknowledged is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::platform::{Answer, PATIENCE, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

/// Commands that are under way at a time.
const CLIENTS: usize = 8;
/// Commands that each client has about acknowledged before the power is taken away.
const BEFORE: usize = 5;

/// What a client wrote down: the key of each command, and what was answered at last.
#[derive(Default)]
struct Journal {
    answers: Vec<(String, Value)>,
    refusals: u64,
}

/// Receives a unit under a key until that is acknowledged.
async fn receive(platform: &Platform, key: &str, journal: &mut Journal) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let body = json!({ "quantity": 1 });
        let answer = platform.post("/v1/stock/cup/receive", key, &body).await;
        if answer.status.is_success() {
            journal.answers.push((key.to_owned(), answer.body));
            return;
        }
        assert_is_clear(&answer);
        journal.refusals += 1;
        assert!(begun.elapsed() < PATIENCE, "{answer:?}");
    }
}

/// It says that it can't now, or that it can't tell, and when to ask again.
fn assert_is_clear(answer: &Answer) {
    let (status, code) = answer.problem();
    assert!(status == 503 && ["unavailable", "outcome_unknown"].contains(&code), "{answer:?}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_durable_postgres_is_killed_under_the_services_and_what_was_acknowledged_stays() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    services.gateway.sell("cup", 0).await;
    services.gateway.sell("saucer", 10).await;
    services.gateway.place(&order("before", "saucer", "pm_ok")).await;
    let (stop, stopped) = watch::channel(false);
    let url = services.gateway.url.clone();
    let clients = (0..CLIENTS).map(|client| {
        let (url, stopped) = (url.clone(), stopped.clone());
        tokio::spawn(async move {
            let platform = Platform::at(&url);
            let mut journal = Journal::default();
            while !*stopped.borrow() {
                let key = format!("{client}/{}", journal.answers.len());
                receive(&platform, &key, &mut journal).await;
            }
            journal
        })
    });
    let clients: Vec<_> = clients.collect();
    let enough = |stock: &Value| stock["available"].as_u64() >= Some((CLIENTS * BEFORE) as u64);
    services.gateway.until("/v1/stock/cup", enough).await;

    services.postgres().kill().unwrap();
    let read = services.gateway.get("/v1/stock/cup").await;
    let unit = json!({ "quantity": 1 });
    let written = services.gateway.post("/v1/stock/cup/receive", "gone", &unit).await;
    let path = "/v1/projections/stock/rebuild";
    let rebuilt = services.gateway.post(path, "gone-rebuild", &json!({})).await;
    for answer in [read, written, rebuilt, services.gateway.get("/v1/sagas").await] {
        assert_is_clear(&answer);
    }
    services.postgres().start_again().unwrap();
    let begun = Instant::now();
    services.gateway.until_ready().await;
    let mut last = Journal::default();
    receive(&services.gateway, "gone", &mut last).await;
    eprintln!("it takes commands again {:?} after PostgreSQL is back", begun.elapsed());

    stop.send(true).unwrap();
    let (mut total, mut refusals) = (1, 0);
    for client in clients {
        let journal = client.await.unwrap();
        refusals += journal.refusals;
        total += journal.answers.len();
        for (key, answer) in journal.answers {
            let again = services.gateway.post("/v1/stock/cup/receive", &key, &unit).await;
            assert_eq!(again.header("idempotency-replayed"), "true", "{key}: {again:?}");
            assert_eq!(again.body, answer, "{key}");
        }
    }
    assert!(refusals > 0, "they were under way when the power went");
    let all = |stock: &Value| stock["available"] == total;
    services.gateway.until("/v1/stock/cup", all).await;
    services.gateway.place(&order("after", "saucer", "pm_ok")).await;
    services.gateway.settle().await;
    services.verify().await;
    for service in [Service::Commands, Service::Models, Service::Sagas] {
        services.of(service).until_ready().await;
    }
    services.terminate().await;
}
