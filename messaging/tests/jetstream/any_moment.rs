//! P9 once more, in an order that nobody thought of: faults drawn from a seed, while events come all the time.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::log::TestLog;
use crate::platform::{Owner, Platform, client, retaining, until};

/// Rounds of each run.
const ROUNDS: usize = 12;
/// Events that the stream keeps: less than a run appends, so that expired ranges are part of it.
const RETAINED: u64 = 1_500;

#[tokio::test]
async fn p9_anything_at_any_moment_first_seed() {
    run(1).await;
}

#[tokio::test]
async fn p9_anything_at_any_moment_second_seed() {
    run(2).await;
}

#[tokio::test]
async fn p9_anything_at_any_moment_new_seed() {
    run(fastrand::u64(..)).await;
}

async fn run(seed: u64) {
    eprintln!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let Some(mut platform) = Platform::start(200, retaining(RETAINED)).await else { return };
    let other = client(&platform.nats.url()).await;
    let _second = Owner::start(&other, &platform.log, retaining(RETAINED));
    let writer = writer(Arc::clone(&platform.log));
    let mut readers = vec![platform.reader().await];
    let mut copies: Vec<TempDir> = Vec::new();
    for round in 0..ROUNDS {
        let before = readers[0].count();
        let fault = random.u8(0..7);
        eprintln!("round {round}: fault {fault} after {before} events");
        strike(&mut platform, fault, &mut random, &mut copies).await;
        // Sometimes the next fault comes before this one is healed.
        if random.bool() {
            let enough = before + random.u64(1..100);
            until("reading goes on", || async { readers[0].count() > enough }).await;
        }
        if random.u8(0..3) == 0 {
            readers.push(platform.reader().await);
        }
    }
    writer.abort();
    let _ = writer.await;
    let events = platform.log.count();
    for reader in &readers {
        reader.has_read(&platform.log, events).await;
    }
    platform.published(events).await;
    assert!(platform.log.raised().is_empty(), "{:?}", platform.log.raised());
}

/// Appends a few events every few milliseconds.
fn writer(log: Arc<TestLog>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            log.grow(fastrand::u64(0..5));
        }
    })
}

async fn strike(platform: &mut Platform, fault: u8, random: &mut Rng, copies: &mut Vec<TempDir>) {
    match fault {
        0 => {
            platform.nats.kill().unwrap();
            platform.nats.start_again().unwrap();
        }
        1 => {
            platform.nats.kill().unwrap();
            platform.nats.wipe().unwrap();
            platform.nats.start_again().unwrap();
        }
        2 => {
            platform.nats.stop().unwrap();
            match copies.pop() {
                Some(copy) => platform.nats.restore_store(&copy).unwrap(),
                None => copies.push(platform.nats.copy_store().unwrap()),
            }
            platform.nats.start_again().unwrap();
        }
        3 => {
            if let Some(stream) = platform.stream().await {
                // It may be built anew this very moment.
                let _ = stream.purge().await;
            }
        }
        4 => {
            if let Some(stream) = platform.stream().await {
                let last = stream.cached_info().state.last_sequence;
                for _ in 0..20 {
                    let _ = stream.delete_message(last.saturating_sub(random.u64(0..40))).await;
                }
                let _ = stream.delete_message(last).await;
            }
        }
        5 => {
            let subject = "docket.events.testlog.order.Happened";
            let stray = platform.client.publish(subject, "stray".into()).await;
            stray.unwrap();
        }
        _ => {
            platform.nats.pause().unwrap();
            platform.nats.wake().unwrap();
        }
    }
}
