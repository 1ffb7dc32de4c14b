//! Chaos: breaks the real processes of the platform in ways drawn from a seed, heals them, and checks that every law
//! holds. A tool for developers; nothing of it is shipped, and no shipped code knows of it.
//!
//! **Invariant:** a run is the platform's own binary, real servers and real faults; the seed says what is done and when
//! in terms of what was acknowledged. What the operating system does in between is its own: a seed repeats the plan, not
//! each interleaving.

mod awake;
mod catalogue;
mod checks;
mod client;
mod fault;
mod faults;
mod load;
mod patience;
mod probes;
mod report;
mod run;
mod scene;
mod stack;
mod tools;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use catalogue::FAULTS;
use clap::Parser;
use fault::Fault;
use report::Line;

/// Set once this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "DOCKET_CHAOS_OWN_MOUNTS";
/// After so many runs of a fault all that happens sometimes has to have happened.
const SEVERAL: usize = 5;

/// Break the platform's real processes, and check that nothing is lost, done twice or stuck
#[derive(Debug, Parser)]
#[command(name = "chaos", bin_name = "cargo xtask chaos")]
struct Args {
    /// The fault, such as F6; several are separated by commas
    #[arg(long, value_name = "FAULT", value_delimiter = ',', required_unless_present_any = ["all", "list"])]
    fault: Vec<String>,
    /// Every fault that this machine can cause
    #[arg(long, conflicts_with = "fault")]
    all: bool,
    /// Say which faults there are
    #[arg(long)]
    list: bool,
    /// The first seed; drawn when absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Runs of each fault, with one seed after the other
    #[arg(long, value_name = "K", default_value_t = 1)]
    runs: u64,
    /// The binary to break
    #[arg(long, value_name = "FILE", default_value = "target/debug/docket")]
    docket: PathBuf,
    /// Where the reports go, and what is left of runs that went wrong
    #[arg(long, value_name = "DIR", default_value = "target/chaos")]
    report: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        for fault in FAULTS {
            println!("{:<4} {}", fault.id, fault.name);
        }
        return ExitCode::SUCCESS;
    }
    match with_own_mounts().and_then(|()| begin(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Becomes the same program in a mount namespace of its own, so that no mounted disk is left behind. Without the
/// rights for that, faults that mount something are left out.
fn with_own_mounts() -> Result<()> {
    if !rustix::process::geteuid().is_root() || std::env::var_os(OWN_MOUNTS).is_some() {
        return Ok(());
    }
    let mut again = Command::new("unshare");
    again.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe()?);
    let error = again.args(std::env::args_os().skip(1)).env(OWN_MOUNTS, "1").exec();
    Err(error).context("`unshare` (of util-linux) can't be started")
}

fn begin(args: &Args) -> Result<bool> {
    let faults = chosen(args)?;
    std::fs::create_dir_all(&args.report)?;
    let docket = args.docket.canonicalize();
    let docket = docket.with_context(|| format!("{} is not there", args.docket.display()))?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for fault in faults {
        if let Some(lacking) = fault.lacks() {
            println!("{} is left out: {lacking}", fault.id);
            left_out.push((fault.id, lacking));
            continue;
        }
        let mut outcomes = Vec::new();
        for seed in seed..seed + args.runs {
            let outcome = runtime.block_on(run::run(fault, seed, &docket, &args.report));
            tell(&outcome);
            outcomes.push(outcome);
        }
        lines.push(Line { fault, outcomes });
        report::write(&args.report, &lines, &left_out)?;
    }
    Ok(conclude(&lines, &args.report))
}

fn chosen(args: &Args) -> Result<Vec<&'static Fault>> {
    if args.all {
        return Ok(FAULTS.iter().collect());
    }
    let find = |id: &String| {
        let found = FAULTS.iter().find(|fault| fault.id.eq_ignore_ascii_case(id));
        match found {
            Some(fault) => Ok(fault),
            None => bail!("there is no fault `{id}`; --list says which there are"),
        }
    };
    args.fault.iter().map(find).collect()
}

fn tell(outcome: &run::Outcome) {
    let (fault, seed, seconds) = (outcome.fault, outcome.seed, outcome.seconds);
    if outcome.is_clean() {
        println!("{fault} seed {seed}: clean ({seconds:.1} s)");
        return;
    }
    println!("{fault} seed {seed}: {} violations ({seconds:.1} s)", outcome.violations.len());
    for violation in &outcome.violations {
        println!("    {violation}");
    }
    if let Some(kept) = &outcome.kept {
        println!("    journal, logs and data: {}", kept.display());
    }
    println!("    again: {}", report::command(outcome));
}

/// Prints the table; true when nothing was violated and everything happened.
fn conclude(lines: &[Line], folder: &Path) -> bool {
    println!("\n{}\n", report::table(lines));
    let mut clean = true;
    for line in lines {
        clean &= line.violations() == 0;
        let never = line.never();
        if !never.is_empty() && line.outcomes.len() >= SEVERAL {
            println!("{}: {} never happened", line.fault.id, never.join(", "));
            clean = false;
        }
    }
    for outcome in lines.iter().flat_map(|line| &line.outcomes).filter(|run| !run.is_clean()) {
        println!("again: {}", report::command(outcome));
    }
    println!("The report is in {}.", folder.display());
    clean
}
