//! Measures Docket as its clients see it: over HTTP, against the release binary, with every answer durable.

mod client;
mod driver;
mod measure;
mod platform;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use comfy_table::Table;

use crate::platform::Platform;

/// Measures Docket on this machine: client, server and disk share it. Quote ratios, not single figures.
#[derive(Parser)]
#[command(name = "benchmarks")]
struct Args {
    /// Connections that send commands at the same time
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds that each load runs
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Events on the long stream that is compared with a fresh one
    #[arg(long, default_value_t = 10_000)]
    stream_length: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let load =
        driver::Load { connections: args.connections, duration: Duration::from_secs(args.seconds) };
    let platform = Platform::start().await?;
    let mut rows = Vec::new();
    rows.push(measure::receive_spread(&platform, load).await?);
    rows.push(measure::receive_hot(&platform, load).await?);
    rows.push(measure::orders(&platform, load).await?);
    rows.push(measure::settle(&platform).await?);
    rows.extend(measure::stream_length(&platform, args.stream_length).await?);
    rows.push(measure::replay(&platform).await?);
    rows.push(platform.memory()?);
    platform.stop().await?;

    let mut table = Table::new();
    table.set_header(["what", "figure", "p50 ms", "p99 ms"]);
    for row in rows {
        table.add_row(row.cells());
    }
    println!("{table}");
    println!(
        "{} cores; client, server and disk on one machine; {} connections, {} s a load",
        std::thread::available_parallelism()?,
        args.connections,
        args.seconds
    );
    Ok(())
}
