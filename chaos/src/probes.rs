//! What every process says of itself all the while: liveness, readiness, metrics.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinHandle;

use crate::awake::Awake;
use crate::client::Client;
use crate::load::Tally;
use crate::stack::Stack;

/// How often everybody is asked.
const EVERY: Duration = Duration::from_millis(250);
/// How long a probe waits.
const DEADLINE: Duration = Duration::from_secs(2);

/// The breaker around the payment provider: nobody asks it, one question is let through, everybody asks again.
pub(crate) const PROVIDER_SHUT_OUT: &str = "provider's breaker opened";
pub(crate) const PROVIDER_TRIED: &str = "provider's breaker half open";
pub(crate) const PROVIDER_BACK: &str = "provider's breaker closed";

/// Metrics of a process whose sums tell that something happened.
const COUNTED: [(&str, &str); 11] = [
    ("docket_command_conflicts_total", "conflicts decided again"),
    ("docket_queue_redeliveries_total", "redeliveries"),
    ("docket_saga_commands_resent_total", "saga commands sent again"),
    ("docket_feed_hole_fills_total", "holes filled from the log"),
    ("docket_relay_rebuilds_total", "stream rebuilt"),
    ("docket_relay_fenced_total", "relay fenced"),
    ("docket_relay_published_total", "events published"),
    ("docket_snapshots_read_total", "snapshots read"),
    ("docket_provider_breaker_changes_total{to=\"open\"}", PROVIDER_SHUT_OUT),
    ("docket_provider_breaker_changes_total{to=\"half_open\"}", PROVIDER_TRIED),
    ("docket_provider_breaker_changes_total{to=\"closed\"}", PROVIDER_BACK),
];

/// Whether a process called itself ready.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    pub(crate) process: String,
    pub(crate) at: Awake,
    pub(crate) ready: bool,
}

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) readiness: Vec<Readiness>,
    /// Processes that answered, and did not call themselves alive.
    pub(crate) dead: Vec<String>,
    /// The last value of each counter, of each process that ever ran.
    counters: HashMap<(String, u32, &'static str), f64>,
}

/// Asks until it is dropped.
#[derive(Debug)]
pub(crate) struct Probes {
    heard: Arc<Mutex<Heard>>,
    asking: JoinHandle<()>,
}

impl Probes {
    pub(crate) fn start(stack: &Arc<tokio::sync::RwLock<Stack>>) -> Result<Self> {
        let client = Client::connecting_anew(DEADLINE)?;
        let heard = Arc::<Mutex<Heard>>::default();
        let (stack, told) = (Arc::clone(stack), Arc::clone(&heard));
        let asking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let all: Vec<(String, String, u32)> = {
                    let stack = stack.read().await;
                    let running = stack.processes().filter_map(|process| {
                        Some((process.name().to_owned(), process.url().to_owned(), process.pid()?))
                    });
                    running.collect()
                };
                let asked = all.iter().map(async |(name, url, pid)| {
                    ask(name, &client.at(url), *pid, &told).await;
                });
                futures::future::join_all(asked).await;
            }
        });
        Ok(Self { heard, asking })
    }

    /// What was heard so far.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds what metrics tell.
    pub(crate) fn count(&self, tally: &Tally) {
        self.with(|heard| {
            for (metric, name) in COUNTED {
                let of_metric = heard.counters.iter().filter(|((_, _, of), _)| *of == metric);
                let sum: f64 = of_metric.map(|(_, value)| value).sum();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a counter is a whole number"
                )]
                tally.add(name, sum as u64);
            }
        });
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

async fn ask(name: &str, client: &Client, pid: u32, heard: &Mutex<Heard>) {
    let at = Awake::now();
    let live = client.get("/health/live").await;
    let ready = client.get("/health/ready").await;
    let metrics = client.text("/metrics").await.unwrap_or_default();
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(answer) = live
        && answer.status != 200
    {
        heard.dead.push(format!("{name} answered {} on /health/live", answer.status));
    }
    if let Ok(answer) = ready {
        let ready = answer.status == 200;
        heard.readiness.push(Readiness { process: name.to_owned(), at, ready });
    }
    for line in metrics.lines() {
        let Some((metric, value)) = line.rsplit_once(' ') else { continue };
        let counted = COUNTED.iter().find(|(counted, _)| metric == *counted);
        if let (Some((metric, _)), Ok(value)) = (counted, value.parse()) {
            heard.counters.insert((name.to_owned(), pid, metric), value);
        }
    }
}
