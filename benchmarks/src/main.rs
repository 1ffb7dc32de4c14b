//! Measures Docket beside its peers and beside what the machine can do: as a library, and as its clients see it, over
//! HTTP against the release binary, with every answer durable.

mod client;
mod clients;
mod driver;
mod flat;
mod gateway;
mod half_load;
mod harness;
mod history;
mod import;
mod jetstream;
mod library;
mod limits;
mod measure;
mod over_http;
mod overload;
mod platform;
mod postgres;
mod queries;
mod row;
mod servers;
mod shop;
mod subjects;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use comfy_table::Table;
use tokio::runtime::Builder;

use crate::driver::Load;
use crate::harness::{Measurement, Plan, Results};
use crate::platform::Kind;
use crate::subjects::{Asked, SUBJECTS};

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
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Events on the long stream that is compared with a fresh one
    #[arg(long, default_value_t = 10_000, global = true)]
    stream_length: u32,
}

/// One part alone; without it, the platform in one process over HTTP.
#[derive(Subcommand)]
enum Only {
    /// The platform over HTTP, a process a service, with PostgreSQL and nats-server
    Distributed,
    /// Three times what the platform carries: what it still does, whom it turns away, and when it is as before
    Overload {
        /// A process a service, over PostgreSQL and nats-server; else everything in one
        #[arg(long)]
        distributed: bool,
        /// Connections that offer too much
        #[arg(long, default_value_t = 4_096)]
        offering: usize,
    },
    /// What the gateway costs: the same load with and without it, and through what only passes on, by turns
    Gateway,
    /// A proxy that only passes on, for `gateway`
    #[command(hide = true)]
    Proxy {
        /// Where it listens
        listen: String,
        /// Whom it asks
        to: String,
    },
    /// The append of the PostgreSQL log against plain inserts of the same rows
    AppendPostgres {
        /// Batches of each size
        #[arg(long, default_value_t = 300)]
        batches: usize,
    },
    /// Every list and filter of the query APIs, with its plan, as a Markdown table
    Queries {
        /// Orders in the log
        #[arg(long, default_value_t = 1_000_000)]
        orders: u64,
        /// Over PostgreSQL; else over SQLite
        #[arg(long)]
        postgres: bool,
    },
    /// What a command costs on a long history against none, by turns
    Flat {
        /// Orders in the log; each leaves about 13 events
        #[arg(long, default_value_t = 100_000)]
        orders: u64,
        /// Over PostgreSQL; else over SQLite
        #[arg(long)]
        postgres: bool,
        /// Only the processor over the log; else the whole platform in one process too, on SQLite
        #[arg(long)]
        log_only: bool,
    },
    /// Relay, feed and command queue over JetStream
    Jetstream {
        /// Events in the log
        #[arg(long, default_value_t = 300_000)]
        events: u64,
    },
    /// The whole comparison: Docket, peers and limits by turns, and a report
    Run(RunArgs),
    /// The report once more, from a run that was kept
    Report {
        /// `results.json` of a run; the report is written beside it
        results: PathBuf,
    },
    /// Who can be measured and of what, as JSON, a line each
    List,
    /// One row of one subject, told as JSON
    Measure {
        /// The address of a database of an admin, in whose server the subject makes its own
        #[arg(long)]
        postgres: String,
        #[arg(long)]
        subject: String,
        #[arg(long)]
        row: String,
        /// Events of the log that is read whole
        #[arg(long, default_value_t = 500_000)]
        log_events: u32,
    },
}

/// What of the comparison is run.
#[derive(clap::Args)]
struct RunArgs {
    /// Shorter loads, one round, and the rows that matter most
    #[arg(long)]
    quick: bool,
    /// How often everything is run, by turns
    #[arg(long, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    rounds: Option<usize>,
    /// Only subjects and rows with this word in their names; may be said again
    #[arg(long)]
    only: Vec<String>,
    /// Where the report goes
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// The program that measures the peers
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Why there is no such program
    #[arg(
        long,
        conflicts_with = "peers",
        default_value = "`cargo xtask bench` builds their program"
    )]
    no_peers: String,
}

fn main() -> Result<()> {
    let args = Args::parse();
    // The load over HTTP is sent by one thread, which leaves the others to the platform.
    let one_thread = || Builder::new_current_thread().enable_all().build();
    let all_cores = || Builder::new_multi_thread().enable_all().build();
    if let Some(Only::Queries { .. } | Only::Flat { .. } | Only::Proxy { .. }) = args.only {
        // What is measured runs in this process.
        return all_cores()?.block_on(carry_out(args));
    }
    let Some(Only::Measure { postgres, subject, row, log_events }) = args.only else {
        return one_thread()?.block_on(carry_out(args));
    };
    let seconds = args.seconds.unwrap_or(5);
    let asked = Asked { subject, row, seconds, log_events, postgres };
    let measured = if let Some(kind) = subjects::platform(&asked.subject) {
        one_thread()?.block_on(subjects::over_http(kind, &asked))?
    } else {
        all_cores()?.block_on(async move {
            tokio::spawn(async move { subjects::measure(&asked).await }).await?
        })?
    };
    for measurement in measured {
        println!("{}", measurement.line()?);
    }
    Ok(())
}

async fn carry_out(args: Args) -> Result<()> {
    let settings = args.settings();
    match args.only {
        None => platform(Kind::Embedded, settings).await,
        Some(Only::Distributed) => platform(Kind::Distributed, settings).await,
        Some(Only::Overload { distributed, offering }) => {
            let kind = if distributed { Kind::Distributed } else { Kind::Embedded };
            table(&overload::rows(kind, settings.load, offering).await?)?;
            println!("{}", kind.told());
            Ok(())
        }
        Some(Only::Gateway) => {
            table(&gateway::rows(settings.load).await?)?;
            println!("a process a service, and what stands before them");
            println!("{}", servers::told());
            Ok(())
        }
        Some(Only::AppendPostgres { batches }) => {
            table(&postgres::append(batches).await?)?;
            println!("{}", servers::told());
            Ok(())
        }
        Some(Only::Queries { orders, postgres }) => queries::tell(orders, postgres).await,
        Some(Only::Flat { orders, postgres, log_only }) => {
            table(&flat::rows(orders, postgres, log_only).await?)
        }
        Some(Only::Jetstream { events }) => table(&jetstream::rows(events).await?),
        Some(Only::Run(run)) => harness::run(run.plan(args.seconds)).await,
        Some(Only::Report { results }) => {
            let kept: Results = serde_json::from_str(&std::fs::read_to_string(&results)?)?;
            harness::write(&kept, results.parent().unwrap_or(&results))
        }
        Some(Only::List) => {
            for subject in SUBJECTS {
                for run in subject.runs {
                    println!("{}", Measurement::of(subject.name, run).line()?);
                }
            }
            Ok(())
        }
        Some(Only::Proxy { listen, to }) => gateway::serve(&listen, &to).await,
        Some(Only::Measure { .. }) => Ok(()),
    }
}

async fn platform(kind: Kind, settings: over_http::Settings) -> Result<()> {
    table(&over_http::rows(kind, settings).await?)?;
    println!("{}", kind.told());
    let Load { connections, duration } = settings.load;
    println!("{connections} connections, {} s a load", duration.as_secs());
    println!("{}", servers::told());
    Ok(())
}

fn table(rows: &[row::Row]) -> Result<()> {
    let mut table = Table::new();
    table.set_header(["what", "figure", "p50 ms", "p99 ms"]);
    table.add_rows(rows.iter().map(row::Row::cells));
    println!("{table}");
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores; client, server and disk on one machine");
    Ok(())
}

impl Args {
    fn settings(&self) -> over_http::Settings {
        let duration = Duration::from_secs(self.seconds.unwrap_or(10));
        let load = Load { connections: self.connections, duration };
        over_http::Settings { load, stream_length: self.stream_length }
    }
}

impl RunArgs {
    fn plan(self, seconds: Option<u64>) -> Plan {
        Plan {
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 3 }),
            seconds: seconds.unwrap_or(if self.quick { 2 } else { 5 }),
            quick: self.quick,
            only: self.only,
            folder: self.folder,
            peers: self.peers.ok_or(self.no_peers),
        }
    }
}
