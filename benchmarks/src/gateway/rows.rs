//! The same commands and reads to a service itself and through what stands before it, by turns, so that what disturbs one disturbs
//! the others.

use anyhow::Result;

use super::way::Way;
use super::{bare, nginx};
use crate::driver::Load;
use crate::measure;
use crate::platform::{Kind, Platform};
use crate::row::{self, Row};

/// Turns of each load.
const TURNS: u32 = 5;
/// What is told of the turns at half load, and its place in them.
const QUANTILES: [(&str, usize); 2] = [("median", 0), ("99th percentile", 1)];

/// Starts separate processes with a gateway before them, and others that only pass on, and compares the ways.
pub(crate) async fn rows(load: Load) -> Result<Vec<Row>> {
    let mut platform = Platform::start(Kind::Distributed).await?;
    let gateway = platform.add_gateway().await?;
    let to = platform.at.commands.clone();
    let (bare, process) = bare::start(&to).await?;
    platform.processes.push(process);
    let mut ways = vec![
        Way::new("direct", &to, Some(&platform.at.models)),
        Way::new("gateway", &gateway, Some(&gateway)),
        Way::new("bare-proxy", &bare, None),
    ];
    // What NGINX writes goes when all is over.
    let mut _kept = None;
    if let Some((address, process, folder)) = nginx::start(&to).await? {
        platform.processes.push(process);
        ways.push(Way::new("NGINX", &address, None));
        _kept = Some(folder);
    }
    measure::warm_up(&platform, load).await?;
    for turn in 0..TURNS {
        for way in &mut ways {
            way.carry(&platform, load, turn).await?;
            measure::settle(&platform, &format!("{}/{turn}", way.name)).await?;
        }
    }
    // What all carry.
    let half = ways.iter().map(Way::median).fold(f64::INFINITY, f64::min) / 2.0;
    for turn in 0..TURNS {
        for way in &mut ways {
            way.at_rate(load, half, turn).await?;
            way.read().await?;
            measure::settle(&platform, &format!("half/{}/{turn}", way.name)).await?;
        }
    }
    platform.stop().await?;
    Ok(told(&ways, half))
}

fn told(ways: &[Way], half: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for way in ways {
        let what = format!("receives, {}, median of {TURNS} turns", way.name);
        rows.push(Row::figure(&what, way.median(), "commands/s").with(&way.at_once_us));
        let what = format!("processor time of a receive, servers included, {}", way.name);
        let each_us = 1e6 / row::per_second(way.answered, way.spent);
        rows.push(Row::figure(&what, each_us, "µs"));
        let what = format!("receives at half load, open loop, {}", way.name);
        rows.push(Row::figure(&what, half, "commands/s").with(&way.half_us));
        if !way.reads_us.is_empty() {
            let what = format!("one reader of a stock, {}", way.name);
            rows.push(Row::latency(&what, &way.reads_us));
        }
    }
    let Some((direct, others)) = ways.split_first() else { return rows };
    for way in others {
        let name = way.name;
        let kept = 100.0 * way.median() / direct.median();
        let what = format!("carried of what is carried directly: {name}");
        rows.push(Row::figure(&what, kept, "%"));
        for (told, quantile) in QUANTILES {
            let what = format!("added at half load, the median turn's {told}: {name}");
            rows.push(Row::figure(&what, way.half(quantile) - direct.half(quantile), "ms"));
        }
    }
    for (told, quantile) in QUANTILES {
        for way in ways {
            let turns = way.half_ms.iter().map(|turn| format!("{:.1}", turn[quantile]));
            let turns: Vec<String> = turns.collect();
            eprintln!("{told} at half load by turn, ms: {} {}", way.name, turns.join(" "));
        }
    }
    rows
}
