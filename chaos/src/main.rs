//! Chaos: breaks the real processes of the platform in ways drawn from a seed, heals them, and checks that every law
//! holds. A tool for developers; nothing of it is shipped, and no shipped code knows of it.
//!
//! **Invariant:** a run is the platform's own binary, real servers and real faults; the seed says what is done and when
//! in terms of what was acknowledged. What the operating system does in between is its own: a seed repeats the plan, not
//! each interleaving.

mod awake;
mod batch;
mod breakers;
mod catalogue;
mod checks;
mod client;
mod fault;
mod faults;
mod holdings;
mod load;
mod patience;
mod probes;
mod readiness;
mod records;
mod report;
mod run;
mod scene;
mod stack;
mod storage;
mod tokens;
mod tools;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use catalogue::FAULTS;
use clap::Parser;
use fault::Fault;
use report::Line;
use stack::Programs;

/// Set once this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "DOCKET_CHAOS_OWN_MOUNTS";
/// After so many runs of a fault all that happens sometimes has to have happened.
const SEVERAL: usize = 5;

/// Break the platform's real processes, and check that nothing is lost, done twice or stuck
#[derive(Debug, Parser)]
#[command(name = "chaos", bin_name = "cargo xtask chaos")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Args {
    /// The fault, such as F6; several are separated by commas
    #[arg(long, value_name = "FAULT", value_delimiter = ',',
        required_unless_present_any = ["all", "list", "table"])]
    fault: Vec<String>,
    /// Every fault that this machine can cause
    #[arg(long, conflicts_with = "fault")]
    all: bool,
    /// Say which faults there are
    #[arg(long)]
    list: bool,
    /// Make the table of all runs that the folder of reports remembers, and run nothing
    #[arg(long, conflicts_with_all = ["fault", "all", "list"])]
    table: bool,
    /// The first seed; drawn when absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Runs of each fault, with one seed after the other
    #[arg(long, value_name = "K", default_value_t = 1)]
    runs: u64,
    /// Runs at the same time, each on a platform of its own: they wait more than they compute
    #[arg(long, value_name = "K", default_value_t = 1)]
    jobs: usize,
    /// The binary to break
    #[arg(long, value_name = "FILE", default_value = "target/release/docket")]
    docket: PathBuf,
    /// The binary of another version, to be upgraded from and rolled back to (F29); the same one when absent
    #[arg(long, value_name = "FILE")]
    other: Option<PathBuf>,
    /// Every process asks who comes, and clients show tokens
    #[arg(long)]
    tokens: bool,
    /// Where the reports go, every run in `runs.jsonl`, and what is left of runs that went wrong
    #[arg(long, value_name = "DIR", default_value = "target/chaos")]
    report: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        for fault in FAULTS.iter() {
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
    std::fs::create_dir_all(&args.report)?;
    if args.table {
        let lines = report::lines(records::read(&args.report)?);
        report::write(&args.report, &lines, &[])?;
        return Ok(conclude(&lines, &args.report));
    }
    let mut plan = Vec::new();
    let mut left_out = Vec::new();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    for fault in chosen(args)? {
        for seed in seed..seed + args.runs {
            match fault.lacks(seed) {
                None => plan.push((fault, seed)),
                Some(lacking) if left_out.iter().any(|(of, _)| *of == fault.id) => drop(lacking),
                Some(lacking) => {
                    println!("{} is left out: {lacking}", fault.id);
                    left_out.push((fault.id, lacking));
                }
            }
        }
    }
    let docket = there(&args.docket)?;
    if args.tokens {
        tokens::ask_everybody(&docket, &args.report)?;
    }
    let other = args.other.as_deref().map_or_else(|| Ok(docket.clone()), there)?;
    let mut outcomes = Vec::new();
    batch::play(plan, &Programs { docket, other }, &args.report, args.jobs, |outcome| {
        tell(&outcome);
        records::add(&args.report, &outcome)?;
        outcomes.push(outcome);
        report::write(&args.report, &report::lines(outcomes.clone()), &left_out)
    })?;
    Ok(conclude(&report::lines(outcomes), &args.report))
}

fn there(program: &Path) -> Result<PathBuf> {
    program.canonicalize().with_context(|| format!("{} is not there", program.display()))
}

fn chosen(args: &Args) -> Result<Vec<&'static Fault>> {
    if args.all {
        return Ok(FAULTS.clone());
    }
    let find = |id: &String| {
        let found = FAULTS.iter().find(|fault| fault.id.eq_ignore_ascii_case(id));
        match found {
            Some(fault) => Ok(*fault),
            None => bail!("there is no fault `{id}`; --list says which there are"),
        }
    };
    args.fault.iter().map(find).collect()
}

fn tell(outcome: &run::Outcome) {
    let (fault, seed, seconds) = (&outcome.fault, outcome.seed, outcome.seconds);
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
    // Of all faults together something more is asked than of each.
    if lines.len() > FAULTS.len() / 2 {
        for what in report::nowhere(lines) {
            println!("{what}: never happened, in no run of any fault");
            clean = false;
        }
    }
    for outcome in lines.iter().flat_map(|line| &line.outcomes).filter(|run| !run.is_clean()) {
        println!("again: {}", report::command(outcome));
    }
    println!("The report is in {}.", folder.display());
    clean
}
