//! Load from within this process, as a closed loop or an open one. Everybody is warm before anything counts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// When a client sends its next.
#[derive(Clone)]
enum Schedule {
    /// When its last was answered.
    Closed,
    /// When the next of all is due, at this many a second, whatever became of the ones before.
    Open { per_second: f64, taken: Arc<AtomicU32> },
}

impl Load {
    /// So many clients, for so many seconds.
    pub(crate) fn of(clients: u32, seconds: u64) -> Self {
        let (warm_up, duration) = (Duration::from_secs(1), Duration::from_secs(seconds));
        Self { clients, warm_up, duration }
    }

    /// Runs `act` of client and number, over and over, by every client: as fast as the answers come.
    pub(crate) async fn closed<F>(
        self,
        act: impl Fn(u32, u64) -> F + Send + Sync + 'static,
    ) -> Result<Outcome>
    where
        F: Future<Output = Result<Done>> + Send,
    {
        self.run(Schedule::Closed, act).await
    }

    /// The same so many times a second. A time counts from when its `act` was due: what stood still is not spared.
    pub(crate) async fn open<F>(
        self,
        per_second: f64,
        act: impl Fn(u32, u64) -> F + Send + Sync + 'static,
    ) -> Result<Outcome>
    where
        F: Future<Output = Result<Done>> + Send,
    {
        self.run(Schedule::Open { per_second, taken: Arc::default() }, act).await
    }

    async fn run<F>(
        self,
        schedule: Schedule,
        act: impl Fn(u32, u64) -> F + Send + Sync + 'static,
    ) -> Result<Outcome>
    where
        F: Future<Output = Result<Done>> + Send,
    {
        let act = Arc::new(act);
        let this = Process::server("this", std::process::id());
        let (before, begun) = (this.cpu()?, Instant::now());
        let from = begun + self.warm_up;
        let until = from + self.duration;
        let clients: Vec<_> = (0..self.clients)
            .map(|client| {
                let (act, schedule) = (Arc::clone(&act), schedule.clone());
                tokio::spawn(async move {
                    let mut seen = Seen { latency_us: row::empty(), conflicts: 0, done: 0 };
                    for number in 0_u64.. {
                        let due = schedule.next(begun);
                        if due >= until {
                            break;
                        }
                        if due > Instant::now() {
                            tokio::time::sleep_until(due.into()).await;
                        }
                        let done = act(client, number).await?;
                        seen.note(done, due, from, until);
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

impl Schedule {
    fn next(&self, begun: Instant) -> Instant {
        match self {
            Self::Closed => Instant::now(),
            Self::Open { per_second, taken } => {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                begun + Duration::from_secs_f64(f64::from(number) / per_second)
            }
        }
    }
}

impl Seen {
    fn note(&mut self, done: Done, due: Instant, from: Instant, until: Instant) {
        let now = Instant::now();
        // What was due in time and comes late counts: it is the worst of all.
        let counts = due >= from && due < until;
        match done {
            Done::Yes => {
                self.done += 1;
                if counts {
                    row::record(&mut self.latency_us, now - due);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_is_due_at_a_steady_rate_whoever_takes_the_next() {
        let begun = Instant::now();
        let schedule = Schedule::Open { per_second: 4.0, taken: Arc::default() };
        let other = schedule.clone();
        let due = [schedule.next(begun), other.next(begun), schedule.next(begun)];
        assert_eq!(due.map(|due| (due - begun).as_millis()), [0, 250, 500]);
    }

    #[test]
    fn what_was_due_in_time_counts_however_late_it_ends() {
        let mut seen = Seen { latency_us: row::empty(), conflicts: 0, done: 0 };
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        seen.note(Done::Yes, ago(9), ago(8), ago(4));
        seen.note(Done::Yes, ago(6), ago(8), ago(4));
        seen.note(Done::Conflict, ago(6), ago(8), ago(4));
        assert_eq!((seen.done, seen.latency_us.len(), seen.conflicts), (2, 1, 1));
        assert!(seen.latency_us.max() >= 5_990_000, "six seconds, to a thousandth");
    }
}
