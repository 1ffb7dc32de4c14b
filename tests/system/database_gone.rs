//! PostgreSQL is killed under running processes, or falls silent: clear refusals, recovery without help, nothing
//! acknowledged is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_servers::Forwards;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::platform::{Answer, PATIENCE, Platform};
use crate::services::{Service, Services};
use crate::shop::order;

/// Commands that are under way at a time.
const CLIENTS: usize = 8;
/// Commands that each client has about acknowledged before the power is taken away.
const BEFORE: usize = 5;
/// What the gateway gives a service to answer, and more: machines that build at the same time are slow.
const DEADLINE: Duration = Duration::from_mins(1);
/// Twenty seconds, as docs/postgresql.md says, and what a busy machine makes of them.
const WRITE_REFUSED_WITHIN: Duration = Duration::from_secs(25);
/// After the database is back: no pause between two attempts of a service is longer than a few seconds.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// What a client wrote down: the key of each command, and what was answered at last.
#[derive(Default)]
struct Journal {
    answers: Vec<(String, Value)>,
    refusals: watch::Sender<u64>,
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
        journal.refusals.send_modify(|refusals| *refusals += 1);
        assert!(begun.elapsed() < PATIENCE, "{answer:?}");
    }
}

/// It says that it can't now, or that it can't tell, and when to ask again.
fn assert_is_clear(answer: &Answer) {
    let (status, code) = answer.problem();
    assert!(status == 503 && ["unavailable", "outcome_unknown"].contains(&code), "{answer:?}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
}

/// Clients that write until they are told to stop; each keeps a journal.
struct Clients {
    stop: watch::Sender<bool>,
    /// How often any of them was refused.
    refusals: watch::Sender<u64>,
    running: Vec<JoinHandle<Journal>>,
}

impl Clients {
    /// Starts them, and waits until all have something acknowledged.
    async fn start(services: &Services) -> Self {
        let (stop, stopped) = watch::channel(false);
        let url = &services.gateway.url;
        let refusals = watch::Sender::new(0);
        let running = (0..CLIENTS).map(|client| {
            let (url, stopped) = (url.clone(), stopped.clone());
            let mut journal = Journal { refusals: refusals.clone(), ..Journal::default() };
            tokio::spawn(async move {
                let platform = Platform::at(&url);
                while !*stopped.borrow() {
                    let key = format!("{client}/{}", journal.answers.len());
                    receive(&platform, &key, &mut journal).await;
                }
                journal
            })
        });
        let running = running.collect();
        let enough = |stock: &Value| stock["available"].as_u64() >= Some((CLIENTS * BEFORE) as u64);
        services.gateway.until("/v1/stock/cup", enough).await;
        Self { stop, refusals, running }
    }

    /// Returns when one of them, who were under way when the database went, was told that it is gone.
    async fn until_one_is_refused(&self) {
        let told = &mut self.refusals.subscribe();
        let refused = tokio::time::timeout(PATIENCE, told.wait_for(|refusals| *refusals > 0)).await;
        refused.expect("they were under way when the database went").unwrap();
    }

    /// Ends them. All that was acknowledged is there once: `more` was acknowledged to others.
    async fn end(self, services: &Services, more: usize) {
        self.stop.send(true).unwrap();
        let unit = json!({ "quantity": 1 });
        let mut total = more;
        for client in self.running {
            let journal = client.await.unwrap();
            total += journal.answers.len();
            for (key, answer) in journal.answers {
                let again = services.gateway.post("/v1/stock/cup/receive", &key, &unit).await;
                assert_eq!(again.header("idempotency-replayed"), "true", "{key}: {again:?}");
                assert_eq!(again.body, answer, "{key}");
            }
        }
        let all = |stock: &Value| stock["available"] == total;
        services.gateway.until("/v1/stock/cup", all).await;
    }
}

/// A shop in which an order was placed.
async fn furnish(services: &Services) {
    services.gateway.sell("cup", 0).await;
    services.gateway.sell("saucer", 10).await;
    services.gateway.place(&order("before", "saucer", "pm_ok")).await;
}

/// While the database is away every part says so, and ends its answer.
async fn everything_is_refused_clearly(services: &Services, key: &str) {
    let unit = json!({ "quantity": 1 });
    let asked = Instant::now();
    let read = services.gateway.get("/v1/stock/cup").await;
    let begun = Instant::now();
    let written = services.gateway.post("/v1/stock/cup/receive", key, &unit).await;
    let took = begun.elapsed();
    assert!(took < WRITE_REFUSED_WITHIN, "a write is refused after {took:?}");
    let said = written.body["detail"].as_str().unwrap_or_default();
    assert!(said.contains("event log"), "it says what does not answer: {written:?}");
    for answer in [read, written, services.gateway.get("/v1/sagas").await] {
        assert_is_clear(&answer);
    }
    eprintln!("a read, a command and the sagas were refused within {:?}", asked.elapsed());
    assert!(asked.elapsed() < 3 * DEADLINE, "each within its deadline: {:?}", asked.elapsed());
}

/// It comes back by itself, soon.
async fn everything_comes_back(services: &Services, key: &str) {
    let begun = Instant::now();
    services.gateway.until_whole().await;
    receive(&services.gateway, key, &mut Journal::default()).await;
    let took = begun.elapsed();
    eprintln!("it takes commands again {took:?} after the database is back");
    assert!(took < BACK_WITHIN, "{took:?}");
}

/// Nothing is left of it.
async fn the_shop_goes_on(services: Services) {
    services.gateway.place(&order("after", "saucer", "pm_ok")).await;
    services.gateway.settle().await;
    services.verify().await;
    for service in [Service::Commands, Service::Models, Service::Sagas] {
        services.of(service).until_ready().await;
    }
    services.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_durable_postgres_is_killed_under_the_services_and_what_was_acknowledged_stays() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    furnish(&services).await;
    let clients = Clients::start(&services).await;
    services.postgres().kill().unwrap();
    everything_is_refused_clearly(&services, "gone").await;
    let path = "/v1/projections/stock/rebuild";
    let why = json!({ "reason": "to see what is said" });
    assert_is_clear(&services.gateway.post(path, "gone-rebuild", &why).await);
    clients.until_one_is_refused().await;
    services.postgres().start_again().unwrap();
    everything_comes_back(&services, "gone").await;
    clients.end(&services, 1).await;
    the_shop_goes_on(services).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_durable_connections_to_postgres_fall_silent_and_what_was_acknowledged_stays() {
    let Some(services) = Services::start_behind_a_proxy().await else { return };
    furnish(&services).await;
    let clients = Clients::start(&services).await;
    services.proxy().set(Forwards::Nothing);
    everything_is_refused_clearly(&services, "silent").await;
    clients.until_one_is_refused().await;
    services.proxy().set(Forwards::Everything);
    everything_comes_back(&services, "silent").await;
    // The worst moment: what is asked for still happens, and nobody hears of it.
    services.proxy().set(Forwards::Requests);
    everything_is_refused_clearly(&services, "unheard").await;
    services.proxy().set(Forwards::Everything);
    everything_comes_back(&services, "unheard").await;
    clients.end(&services, 2).await;
    the_shop_goes_on(services).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_start_while_postgres_is_away_wait_for_it_and_say_so() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    furnish(&services).await;
    let waiting = [Service::Commands, Service::Models, Service::Sagas];
    for service in waiting {
        services.stop(service).await;
    }
    services.postgres().kill().unwrap();
    for service in waiting {
        services.restart(service).await;
        let name = service.name();
        let waits = |health: &Value| health["parts"][name] == "the database does not answer";
        services.of(service).until("/health/ready", waits).await;
    }
    // One that waits still ends in order.
    services.stop(Service::Models).await;
    services.restart(Service::Models).await;
    services.postgres().start_again().unwrap();
    services.until_all_are_ready().await;
    receive(&services.gateway, "waited", &mut Journal::default()).await;
    the_shop_goes_on(services).await;
}
