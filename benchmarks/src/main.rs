//! Measures Docket as its clients see it, over HTTP, against the release binary, with every answer durable; and its
//! storage against what the database itself can do.

mod client;
mod driver;
mod half_load;
mod jetstream;
mod measure;
mod over_http;
mod platform;
mod postgres;
mod row;
mod servers;
mod shop;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use comfy_table::Table;

use crate::driver::Load;
use crate::platform::Kind;

/// The services' own allocator, so that what is measured as a library is measured as it runs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Docket on this machine: client, server and disk share it. Quote ratios, not single figures.
#[derive(Parser)]
#[command(name = "benchmarks")]
struct Args {
    #[command(subcommand)]
    only: Option<Only>,
    /// Connections that send commands at the same time
    #[arg(long, default_value_t = 64, global = true)]
    connections: usize,
    /// Seconds that each load runs
    #[arg(long, default_value_t = 10, global = true)]
    seconds: u64,
    /// Events on the long stream that is compared with a fresh one
    #[arg(long, default_value_t = 10_000, global = true)]
    stream_length: u32,
}

/// One part alone; without it, the platform in one process over HTTP.
#[derive(Clone, Copy, Subcommand)]
enum Only {
    /// The platform over HTTP, a process a service, with PostgreSQL and nats-server
    Distributed,
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
    let kind = match args.only {
        None => Some(Kind::Embedded),
        Some(Only::Distributed) => Some(Kind::Distributed),
        Some(Only::AppendPostgres { .. } | Only::Jetstream { .. }) => None,
    };
    let rows = match args.only {
        None => over_http::rows(Kind::Embedded, args.settings()).await?,
        Some(Only::Distributed) => over_http::rows(Kind::Distributed, args.settings()).await?,
        Some(Only::AppendPostgres { batches }) => postgres::append(batches).await?,
        Some(Only::Jetstream { events }) => jetstream::rows(events).await?,
    };
    let mut table = Table::new();
    table.set_header(["what", "figure", "p50 ms", "p99 ms"]);
    table.add_rows(rows.iter().map(row::Row::cells));
    println!("{table}");
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores; client, server and disk on one machine");
    if let Some(kind) = kind {
        println!("{}", kind.told());
        println!("{} connections, {} s a load", args.connections, args.seconds);
    }
    if !matches!(args.only, None | Some(Only::Jetstream { .. })) {
        println!("{}", servers::told());
    }
    Ok(())
}

impl Args {
    fn settings(&self) -> over_http::Settings {
        let duration = Duration::from_secs(self.seconds);
        let load = Load { connections: self.connections, duration };
        over_http::Settings { load, stream_length: self.stream_length }
    }
}
