//! A way to the services, and what was measured of it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::client::Connection;
use crate::driver::{self, Load};
use crate::platform::Platform;
use crate::row;
use crate::shop::{receive, spread};

/// Connections of an open loop for one of a closed one.
const SPARE: usize = 4;
/// Reads of one client of each way and turn.
const READS: u32 = 1_000;

/// A way to the services.
pub(super) struct Way {
    pub(super) name: &'static str,
    commands: String,
    /// Where reads go, if they go this way.
    models: Option<String>,
    pub(super) answered: u64,
    /// Processor time of all processes and servers meanwhile.
    pub(super) spent: Duration,
    /// Commands a second, by turn.
    rates: Vec<f64>,
    pub(super) at_once_us: Histogram<u64>,
    pub(super) half_us: Histogram<u64>,
    /// Median and 99th percentile at half load, milliseconds, by turn: what disturbed one turn does not speak for all.
    pub(super) half_ms: Vec<[f64; 2]>,
    pub(super) reads_us: Histogram<u64>,
}

impl Way {
    pub(super) fn new(name: &'static str, commands: &str, models: Option<&str>) -> Self {
        Self {
            name,
            commands: commands.to_owned(),
            models: models.map(str::to_owned),
            answered: 0,
            spent: Duration::ZERO,
            rates: Vec::new(),
            at_once_us: row::empty(),
            half_us: row::empty(),
            half_ms: Vec::new(),
            reads_us: row::empty(),
        }
    }

    /// As fast as the answers come.
    pub(super) async fn carry(&mut self, platform: &Platform, load: Load, turn: u32) -> Result<()> {
        let name = self.name;
        let commands = move |index: usize, n| {
            receive(&spread(index, n), &format!("{name}/{turn}/{index}/{n}"))
        };
        let before: Duration = platform.cpu()?.iter().sum();
        let outcome = driver::closed(&self.commands, load, Rc::new(commands)).await?;
        self.spent += platform.cpu()?.iter().sum::<Duration>().saturating_sub(before);
        self.answered += outcome.answered;
        self.rates.push(outcome.per_second);
        self.at_once_us.add(&outcome.latency_us)?;
        Ok(())
    }

    /// So many commands a second.
    pub(super) async fn at_rate(&mut self, load: Load, per_second: f64, turn: u32) -> Result<()> {
        let name = self.name;
        let commands = move |index: usize, n| {
            receive(&spread(index, n), &format!("half/{name}/{turn}/{index}/{n}"))
        };
        let load = Load { connections: load.connections * SPARE, ..load };
        let answered = Rc::new(|_: &_, _: &[u8], _| {});
        let outcome = driver::open(&self.commands, load, per_second, Rc::new(commands), answered);
        let outcome = LocalSet::new().run_until(outcome).await?;
        self.half_us.add(&outcome.latency_us)?;
        let ms = |quantile| {
            let us = Duration::from_micros(outcome.latency_us.value_at_quantile(quantile));
            us.as_secs_f64() * 1e3
        };
        self.half_ms.push([ms(0.5), ms(0.99)]);
        Ok(())
    }

    /// One client that reads.
    pub(super) async fn read(&mut self) -> Result<()> {
        let Some(models) = &self.models else { return Ok(()) };
        let mut connection = Connection::open(models).await?;
        for number in 0..READS {
            let path = format!("/v1/stock/{}", spread(0, number.into()));
            let begun = Instant::now();
            connection.read_bytes(&path).await?;
            row::record(&mut self.reads_us, begun.elapsed());
        }
        Ok(())
    }

    pub(super) fn median(&self) -> f64 {
        median(self.rates.clone())
    }

    /// The median turn's quantile at half load: 0 for the median, 1 for the 99th percentile.
    pub(super) fn half(&self, quantile: usize) -> f64 {
        median(self.half_ms.iter().map(|turn| turn[quantile]).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
