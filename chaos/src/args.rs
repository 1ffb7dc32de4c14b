//! What is asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// Break the platform's real processes, and check that nothing is lost, done twice or stuck
///
/// Exit code: 0 when all that ran is clean, 1 when something was violated or never happened, 2 when a run could not be made, 3
/// when nothing ran, because this machine lacks what the faults need.
#[derive(Debug, Parser)]
#[command(name = "chaos", bin_name = "cargo xtask chaos")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// The fault, such as F6; several are separated by commas
    #[arg(long, value_name = "FAULT", value_delimiter = ',',
        required_unless_present_any = ["all", "list", "table"])]
    pub(crate) fault: Vec<String>,
    /// Every fault that this machine can cause
    #[arg(long, conflicts_with = "fault")]
    pub(crate) all: bool,
    /// Say which faults there are
    #[arg(long)]
    pub(crate) list: bool,
    /// Make the table of all runs that the folder of reports remembers, and run nothing
    #[arg(long, conflicts_with_all = ["fault", "all", "list"])]
    pub(crate) table: bool,
    /// The first seed; drawn when absent
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Runs of each fault, with one seed after the other
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// Runs at the same time, each on a platform of its own: they wait more than they compute
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) jobs: u64,
    /// The binary to break; built from this tree when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) docket: Option<PathBuf>,
    /// The binary of another version, to be upgraded from and rolled back to (F29); the same one when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) other: Option<PathBuf>,
    /// Every process asks who comes, and clients show tokens
    #[arg(long)]
    pub(crate) tokens: bool,
    /// Where the reports go, every run in `runs.jsonl`, and what is left of runs that went wrong
    #[arg(long, value_name = "DIR", default_value = "target/chaos")]
    pub(crate) report: PathBuf,
}
