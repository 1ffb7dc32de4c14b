//! `kill -9` of everything in turn, at moments drawn from a seed, while a part of the shop's day is imported.

use crate::part_of_day::PartOfDay;
use crate::services::{Service, Services};

/// Rows of the example day that are imported, with the line that names the columns.
const ROWS: usize = 600;
/// How often something is killed, unless said otherwise: everything once.
const KILLS_VARIABLE: &str = "DOCKET_TEST_KILLS";
/// Repeats the moments of an earlier run.
const SEED_VARIABLE: &str = "DOCKET_TEST_SEED";

/// What can be killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Process(Service),
    Broker,
    Database,
}

const VICTIMS: [Victim; 7] = [
    Victim::Process(Service::Commands),
    Victim::Process(Service::Models),
    Victim::Process(Service::Sagas),
    Victim::Process(Service::Simulator),
    Victim::Process(Service::Gateway),
    Victim::Broker,
    Victim::Database,
];

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Kills it, and starts it again at once.
async fn kill(services: &mut Services, victim: Victim) {
    match victim {
        Victim::Process(service) => services.kill(service).await,
        Victim::Broker => {
            services.nats.kill().unwrap();
            services.nats.start_again().unwrap();
        }
        Victim::Database => {
            // One that waits for its database at the start was seen elsewhere; here all of them lose it while they work.
            services.until_all_are_ready().await;
            services.postgres().kill().unwrap();
            services.postgres().start_again().unwrap();
        }
    }
}

#[tokio::test]
async fn p1_durable_whatever_is_killed_the_end_is_that_of_an_import_that_nobody_disturbed() {
    let kills = number(KILLS_VARIABLE).unwrap_or(VICTIMS.len() as u64);
    let seed = number(SEED_VARIABLE).unwrap_or_else(|| fastrand::u64(..1_000_000));
    eprintln!("{SEED_VARIABLE}={seed} {KILLS_VARIABLE}={kills}");
    let mut random = fastrand::Rng::with_seed(seed);
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    let part = PartOfDay::of(ROWS);
    let expected = part.undisturbed().await;

    let importing = part.start_import(&services.gateway.url);
    let mut order = Vec::new();
    for n in 0..kills {
        if order.is_empty() {
            order = VICTIMS.to_vec();
            random.shuffle(&mut order);
        }
        let Some(victim) = order.pop() else { break };
        // Each in a stretch of its own; the last stretch is left in peace.
        let stretch = expected.events / (kills + 1);
        let moment = n * stretch + random.u64(0..stretch);
        services.gateway.until_head(moment).await;
        let under_way = !importing.is_finished();
        eprintln!("kill {victim:?} at event {moment}, the import under way: {under_way}");
        kill(&mut services, victim).await;
    }
    importing.await.unwrap();
    services.until_digest(&expected.digest).await;
    services.verify().await;
    services.terminate().await;
}
