//! Docket's peers under one load, measured one row at a time; `cargo xtask bench` runs them beside Docket.
//!
//! It is not a comparison by itself, and knows nothing of Docket: its lines are put beside Docket's by the harness.

mod cqrs_es;
mod disintegrate;
mod driver;
mod emmett;
mod esrs;
mod event;
mod install;
mod message_db;
mod peer;
mod report;
mod row;
mod run;
mod sql;
mod subject;
#[cfg(feature = "umadb")]
mod umadb;

use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::json;

use crate::row::Row;
use crate::run::Run;
use crate::subject::Subject;

/// Measures one row of one peer, in a database of its own that is dropped afterwards.
#[derive(Debug, Parser)]
#[command(name = "peers", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    step: Option<Step>,
    #[command(flatten)]
    measured: Option<Measured>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Names every subject with every row it has, one JSON object a line.
    List,
}

#[derive(Debug, clap::Args)]
struct Measured {
    /// The address of a PostgreSQL database from which others can be created.
    #[arg(long)]
    postgres: String,
    /// A subject, as `peers list` names it.
    #[arg(long, value_parser = Subject::named)]
    subject: Subject,
    /// A row, as `peers list` names it.
    #[arg(long)]
    row: Row,
    /// How long is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// How many events the log has that `read-all` reads.
    #[arg(long, default_value_t = 500_000)]
    log_events: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match (arguments.step, arguments.measured) {
        (Some(Step::List), _) => list(),
        (None, Some(measured)) => {
            let run = Run {
                postgres: measured.postgres,
                subject: measured.subject,
                row: measured.row,
                measured_for: Duration::from_secs(measured.seconds),
                log_events: measured.log_events,
            };
            run.report().await?.print()?;
        }
        (None, None) => {
            anyhow::bail!("say what to measure: `peers list` names it, `peers --help` says how")
        }
    }
    Ok(())
}

fn list() {
    for subject in subject::ALL {
        for row in row::ALL.into_iter().filter(|row| subject.has(*row)) {
            println!("{}", json!({ "subject": subject.name(), "row": row.to_string() }));
        }
    }
}
