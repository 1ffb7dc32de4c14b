//! The closed loop: every client sends its next command when its last one is stored.
//!
//! Latencies count from the first attempt to success, conflicts and all, so a peer that refuses is not flattered.
//! Streams are dealt out to the clients, and each client visits its own in a shuffled order, always the same one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::peer::{Attempt, Peer, Stream};
use crate::row::{Row, Shape};

/// Statements are prepared and caches filled in this time; it is not counted.
pub(crate) const WARM_UP: Duration = Duration::from_millis(500);
/// Enough for the latencies of the slowest peer, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Commands that were stored, or events that were read.
    pub(crate) done: u64,
    /// Attempts that another had come before.
    pub(crate) conflicts: u64,
    /// How long it took.
    pub(crate) took: Duration,
    /// Of the commands, in microseconds.
    pub(crate) latencies: Histogram<u64>,
}

impl Measured {
    /// Before anything was done.
    pub(crate) fn nothing() -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_max(LONGEST_US, 3)?;
        Ok(Self { done: 0, conflicts: 0, took: Duration::ZERO, latencies })
    }

    /// How many each second.
    pub(crate) fn rate(&self) -> f64 {
        // No count of a run reaches the size from which on a float is not exact.
        #[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
        let done = self.done as f64;
        done / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that this share of the commands did not exceed, in milliseconds.
    pub(crate) fn latency_ms(&self, quantile: f64) -> Option<f64> {
        if self.latencies.is_empty() {
            return None;
        }
        let us = u32::try_from(self.latencies.value_at_quantile(quantile)).unwrap_or(u32::MAX);
        Some(f64::from(us) / 1_000.0)
    }

    /// The share of all attempts that were conflicts, in percent.
    pub(crate) fn conflict_percent(&self) -> u64 {
        self.conflicts * 100 / (self.conflicts + self.done).max(1)
    }
}

/// Runs a row of commands or appends.
pub(crate) async fn closed_loop<P: Peer>(
    peer: Arc<P>,
    row: Row,
    shape: Shape,
    measured_for: Duration,
) -> anyhow::Result<Measured> {
    let clients = row.clients();
    let from = Instant::now() + WARM_UP;
    let until = from + measured_for;
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let client = Client { peer: Arc::clone(&peer), row, shape, number, from, until };
        tasks.spawn(client.run());
    }
    let mut all = Measured::nothing()?;
    while let Some(ended) = tasks.join_next().await {
        let one = ended??;
        all.done += one.done;
        all.conflicts += one.conflicts;
        all.latencies.add(one.latencies)?;
    }
    all.took = measured_for;
    Ok(all)
}

/// Reads the whole log again and again.
pub(crate) async fn read_all<P: Peer>(
    peer: Arc<P>,
    shape: Shape,
    measured_for: Duration,
) -> anyhow::Result<Measured> {
    let mut all = Measured::nothing()?;
    let begun = Instant::now();
    while begun.elapsed() < measured_for {
        let read = peer.read_all().await?;
        anyhow::ensure!(read == shape.events(), "it read {read} of {} events", shape.events());
        all.done += read;
    }
    all.took = begun.elapsed();
    Ok(all)
}

struct Client<P> {
    peer: Arc<P>,
    row: Row,
    shape: Shape,
    number: u32,
    from: Instant,
    until: Instant,
}

impl<P: Peer> Client<P> {
    async fn run(self) -> anyhow::Result<Measured> {
        let mut streams = self.streams();
        let mut measured = Measured::nothing()?;
        let mut turn = 0;
        loop {
            let next = turn % streams.len();
            turn += 1;
            let begun = Instant::now();
            let conflicts = self.store(&mut streams[next]).await?;
            let ended = Instant::now();
            if ended >= self.until {
                return Ok(measured);
            }
            if ended >= self.from {
                let us = u64::try_from((ended - begun).as_micros()).unwrap_or(LONGEST_US);
                measured.latencies.saturating_record(us);
                measured.done += 1;
                measured.conflicts += conflicts;
            }
        }
    }

    /// Tries until it is stored, or until nobody counts any more. Says how often another was first.
    async fn store(&self, (stream, expected): &mut (Stream, u64)) -> anyhow::Result<u64> {
        let mut conflicts = 0;
        while conflicts == 0 || Instant::now() < self.until {
            let attempt = match self.row {
                Row::Append { .. } => self.peer.append(*stream, *expected).await?,
                Row::Command { .. } | Row::Length { .. } | Row::Hot { .. } | Row::ReadAll => {
                    self.peer.command(*stream).await?
                }
            };
            match attempt {
                Attempt::Done(next) => {
                    *expected = next;
                    break;
                }
                Attempt::Conflict => conflicts += 1,
            }
        }
        Ok(conflicts)
    }

    /// The streams of this client, each with what its next append has to expect.
    fn streams(&self) -> Vec<(Stream, u64)> {
        let clients = self.row.clients();
        let mut numbers: Vec<u32> = match self.row {
            Row::Hot { .. } => vec![0],
            Row::Append { .. } | Row::Command { .. } | Row::Length { .. } | Row::ReadAll => {
                (0..self.shape.streams).filter(|number| number % clients == self.number).collect()
            }
        };
        fastrand::Rng::with_seed(u64::from(self.number)).shuffle(&mut numbers);
        let streams = numbers.into_iter().map(|number| Stream::of(number, clients));
        streams.map(|stream| (stream, self.peer.expected_at_first(stream, self.shape))).collect()
    }
}
