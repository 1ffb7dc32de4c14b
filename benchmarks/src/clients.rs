//! Load from within this process: clients that each send the next when the last is answered. Everybody is warm before
//! anything counts.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::harness::Measurement;
use crate::platform::Process;
use crate::row;

/// How much load, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) clients: u32,
    /// Before anything counts.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Yes,
    /// Somebody else was first. It is in no rate and no time.
    Conflict,
}

/// What came of a load.
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    pub(crate) latency_us: Histogram<u64>,
    /// Attempts that somebody else was faster than.
    pub(crate) conflicts: u64,
    /// Processor time of this process for one success, microseconds, the warm-up included.
    pub(crate) cpu_us: f64,
}

/// What one client saw.
struct Seen {
    latency_us: Histogram<u64>,
    conflicts: u64,
    /// Warm-up included.
    done: u64,
}

impl Load {
    /// So many clients, for so many seconds.
    pub(crate) fn of(clients: u32, seconds: u64) -> Self {
        let (warm_up, duration) = (Duration::from_secs(1), Duration::from_secs(seconds));
        Self { clients, warm_up, duration }
    }

    /// Runs `act` of client and number, over and over, by every client.
    pub(crate) async fn closed<F>(
        self,
        act: impl Fn(u32, u64) -> F + Send + Sync + 'static,
    ) -> Result<Outcome>
    where
        F: Future<Output = Result<Done>> + Send,
    {
        let act = Arc::new(act);
        let this = Process::server("this", std::process::id());
        let before = this.cpu()?;
        let from = Instant::now() + self.warm_up;
        let until = from + self.duration;
        let clients: Vec<_> = (0..self.clients)
            .map(|client| {
                let act = Arc::clone(&act);
                tokio::spawn(async move {
                    let mut seen = Seen { latency_us: row::empty(), conflicts: 0, done: 0 };
                    for number in 0_u64.. {
                        let sent = Instant::now();
                        if sent >= until {
                            break;
                        }
                        let done = act(client, number).await?;
                        seen.note(done, sent, from, until);
                    }
                    anyhow::Ok(seen)
                })
            })
            .collect();
        let mut all = Seen { latency_us: row::empty(), conflicts: 0, done: 0 };
        for client in clients {
            let seen = client.await??;
            all.latency_us.add(seen.latency_us)?;
            all.conflicts += seen.conflicts;
            all.done += seen.done;
        }
        let cpu = this.cpu()?.saturating_sub(before);
        Ok(Outcome {
            per_second: row::per_second(all.latency_us.len(), self.duration),
            cpu_us: 1e6 / row::per_second(all.done, cpu),
            latency_us: all.latency_us,
            conflicts: all.conflicts,
        })
    }
}

impl Seen {
    fn note(&mut self, done: Done, sent: Instant, from: Instant, until: Instant) {
        let now = Instant::now();
        let counts = now >= from && now < until;
        match done {
            Done::Yes => {
                self.done += 1;
                if counts {
                    row::record(&mut self.latency_us, now - sent);
                }
            }
            Done::Conflict => self.conflicts += u64::from(counts),
        }
    }
}

impl Outcome {
    /// As it is told: rate, times, and what it cost.
    pub(crate) fn measured(&self, subject: &str, row: &str, clients: u32) -> Result<Measurement> {
        let this = Process::server("this", std::process::id());
        let mut measured = Measurement::of(subject, row)
            .clients(clients)
            .value(self.per_second, "1/s")
            .latency(&self.latency_us);
        measured.cpu_us = Some(self.cpu_us).filter(|us| us.is_finite());
        measured.memory_mb = Some(this.memory_mb()?);
        if self.conflicts > 0 {
            measured.note = Some(format!("{} attempts lost to others", self.conflicts));
        }
        Ok(measured)
    }
}
