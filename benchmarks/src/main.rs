//! Measures Docket as its clients see it, over HTTP, against the release binary, with every answer durable; and its
//! storage against what the database itself can do.

mod client;
mod driver;
mod jetstream;
mod measure;
mod platform;
mod postgres;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use comfy_table::Table;

use crate::measure::Row;
use crate::platform::Platform;

/// Measures Docket on this machine: client, server and disk share it. Quote ratios, not single figures.
#[derive(Parser)]
#[command(name = "benchmarks")]
struct Args {
    #[command(subcommand)]
    only: Option<Only>,
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

/// One part alone; without it, the platform over HTTP.
#[derive(Subcommand)]
enum Only {
    /// The append of the PostgreSQL log against plain inserts of the same rows
    AppendPostgres {
        /// Batches of each size
        #[arg(long, default_value_t = 300)]
        batches: usize,
    },
    /// Relay, feed and command queue over JetStream
    Jetstream {
        /// Events in the log
        #[arg(long, default_value_t = 300_000)]
        events: u64,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let rows = match args.only {
        None => over_http(&args).await?,
        Some(Only::AppendPostgres { batches }) => postgres::append(batches).await?,
        Some(Only::Jetstream { events }) => jetstream::rows(events).await?,
    };
    let mut table = Table::new();
    table.set_header(["what", "figure", "p50 ms", "p99 ms"]);
    for row in rows {
        table.add_row(row.cells());
    }
    println!("{table}");
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores; client, server and disk on one machine");
    if args.only.is_none() {
        println!("{} connections, {} s a load", args.connections, args.seconds);
    }
    Ok(())
}

async fn over_http(args: &Args) -> Result<Vec<Row>> {
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
    Ok(rows)
}
