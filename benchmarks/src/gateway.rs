//! What the entrance costs: the same commands and reads to a service itself and through the gateway, by turns, so that what
//! disturbs one disturbs the other.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::client::Connection;
use crate::driver::{self, Load};
use crate::measure;
use crate::platform::{Kind, Platform};
use crate::row::{self, Row};
use crate::shop::{receive, spread};

/// Turns of each load.
const TURNS: u32 = 5;
/// Connections of an open loop for one of a closed one.
const SPARE: usize = 4;
/// Reads of one client of each way and turn.
const READS: u32 = 1_000;

/// A way to the services.
struct Way {
    name: &'static str,
    commands: String,
    models: String,
    answered: u64,
    /// Processor time of all processes and servers meanwhile.
    spent: Duration,
    /// Commands a second, by turn.
    rates: Vec<f64>,
    at_once_us: Histogram<u64>,
    half_us: Histogram<u64>,
    /// Median and 99th percentile at half load, milliseconds, by turn: what disturbed one turn does not speak for all.
    half_ms: Vec<[f64; 2]>,
    reads_us: Histogram<u64>,
}

impl Way {
    fn new(name: &'static str, commands: &str, models: &str) -> Self {
        Self {
            name,
            commands: commands.to_owned(),
            models: models.to_owned(),
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
    async fn carry(&mut self, platform: &Platform, load: Load, turn: u32) -> Result<()> {
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
    async fn at_rate(&mut self, load: Load, per_second: f64, turn: u32) -> Result<()> {
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
    async fn read(&mut self) -> Result<()> {
        let mut connection = Connection::open(&self.models).await?;
        for number in 0..READS {
            let path = format!("/v1/stock/{}", spread(0, number.into()));
            let begun = Instant::now();
            connection.read_bytes(&path).await?;
            row::record(&mut self.reads_us, begun.elapsed());
        }
        Ok(())
    }

    fn median(&self) -> f64 {
        median(self.rates.clone())
    }

    /// The median turn's quantile at half load: 0 for the median, 1 for the 99th percentile.
    fn half(&self, quantile: usize) -> f64 {
        median(self.half_ms.iter().map(|turn| turn[quantile]).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Starts separate processes with a gateway before them, and compares the two ways.
pub(crate) async fn rows(load: Load) -> Result<Vec<Row>> {
    let mut platform = Platform::start(Kind::Distributed).await?;
    let gateway = platform.add_gateway().await?;
    measure::warm_up(&platform, load).await?;
    let mut direct = Way::new("direct", &platform.at.commands, &platform.at.models);
    let mut through = Way::new("gateway", &gateway, &gateway);
    for turn in 0..TURNS {
        for way in [&mut direct, &mut through] {
            way.carry(&platform, load, turn).await?;
            measure::settle(&platform, &format!("{}/{turn}", way.name)).await?;
        }
    }
    // What both carry.
    let half = direct.median().min(through.median()) / 2.0;
    for turn in 0..TURNS {
        for way in [&mut direct, &mut through] {
            way.at_rate(load, half, turn).await?;
            way.read().await?;
            measure::settle(&platform, &format!("half/{}/{turn}", way.name)).await?;
        }
    }
    platform.stop().await?;
    Ok(told(&direct, &through, half))
}

fn told(direct: &Way, through: &Way, half: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for way in [direct, through] {
        let what = format!("receives, {}, median of {TURNS} turns", way.name);
        rows.push(Row::figure(&what, way.median(), "commands/s").with(&way.at_once_us));
        let what = format!("processor time of a receive, servers included, {}", way.name);
        let each_us = 1e6 / row::per_second(way.answered, way.spent);
        rows.push(Row::figure(&what, each_us, "µs"));
        let what = format!("receives at half load, open loop, {}", way.name);
        rows.push(Row::figure(&what, half, "commands/s").with(&way.half_us));
        let what = format!("one reader of a stock, {}", way.name);
        rows.push(Row::latency(&what, &way.reads_us));
    }
    let kept = 100.0 * through.median() / direct.median();
    rows.push(Row::figure("carried through the gateway, of what is carried directly", kept, "%"));
    for (told, quantile) in [("median", 0), ("99th percentile", 1)] {
        let what = format!("{told} at half load, the median turn's: added by the gateway");
        rows.push(Row::figure(&what, through.half(quantile) - direct.half(quantile), "ms"));
        let turns: Vec<String> = [direct, through]
            .map(|way| {
                let turns = way.half_ms.iter().map(|turn| format!("{:.1}", turn[quantile]));
                format!("{} {}", way.name, turns.collect::<Vec<_>>().join(" "))
            })
            .into();
        eprintln!("{told} of each turn, ms: {}", turns.join("; "));
    }
    rows
}
