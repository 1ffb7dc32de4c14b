//! Chaos: breaks the real processes of the platform in ways drawn from a seed, heals them, and checks that every law
//! holds. A tool for developers; nothing of it is shipped, and no shipped code knows of it.
//!
//! **Invariant:** a run is the platform's own binary, real servers and real faults; the seed says what is done and when
//! in terms of what was acknowledged. What the operating system does in between is its own: a seed repeats the plan, not
//! each interleaving.

mod args;
mod awake;
mod batch;
mod breakers;
mod canaries;
mod catalogue;
mod checks;
mod chosen;
mod client;
mod fault;
mod faults;
mod holdings;
mod load;
mod operator;
mod patience;
mod phases;
mod probes;
mod programs;
mod readiness;
mod records;
mod report;
mod run;
mod scene;
mod setting;
mod stack;
mod storage;
mod tokens;
mod told;
mod tools;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use args::Args;
use batch::Batch;
use catalogue::{ELSEWHERE, FAULTS};
use chosen::Chosen;
use clap::Parser as _;
use report::Line;
use setting::Setting;

/// Set once this process has a mount namespace of its own.
const OWN_MOUNTS: &str = "DOCKET_CHAOS_OWN_MOUNTS";
/// After so many runs of a fault all that happens sometimes has to have happened.
const SEVERAL: usize = 5;

/// Exit code of a batch of which nothing ran.
const NOTHING_RAN: u8 = 3;

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Nothing was violated, and everything happened.
    Clean,
    /// Something was violated or never happened.
    Faulty,
    /// Every fault was left out.
    NothingRan,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        list();
        return ExitCode::SUCCESS;
    }
    match with_own_mounts().and_then(|()| begin(&args)) {
        Ok(Ending::Clean) => ExitCode::SUCCESS,
        Ok(Ending::Faulty) => ExitCode::FAILURE,
        Ok(Ending::NothingRan) => {
            eprintln!("nothing ran, so nothing was tested");
            ExitCode::from(NOTHING_RAN)
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn list() {
    for fault in FAULTS.iter() {
        println!("{:<4} {}", fault.id, fault.name);
    }
    println!("\nCaused by tests over real processes:");
    for other in &ELSEWHERE {
        println!("{:<4} {}: {}", other.id, other.name, other.tests);
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

fn begin(args: &Args) -> Result<Ending> {
    if args.table {
        let lines = report::lines(records::read(&args.report)?);
        report::write(&args.report, &lines, &[])?;
        return Ok(conclude(&lines, &args.report));
    }
    patience::check()?;
    let Chosen { runs, left_out } = Chosen::of(args)?;
    if runs.is_empty() {
        return Ok(Ending::NothingRan);
    }
    // What is not there or can't be built is said before anything is written.
    let programs = programs::find(args)?;
    std::fs::create_dir_all(&args.report)?;
    if args.tokens {
        tokens::ask_everybody(&programs.docket, &args.report)?;
    }
    let mut outcomes = Vec::new();
    let setting = Setting::of(args);
    let keep = args.report.as_path();
    let batch = Batch { runs, programs: &programs, setting: &setting, keep, jobs: args.jobs };
    batch::play(batch, |outcome| {
        tell(&outcome);
        records::add(&args.report, &outcome)?;
        outcomes.push(outcome);
        report::write(&args.report, &report::lines(outcomes.clone()), &left_out)
    })?;
    Ok(conclude(&report::lines(outcomes), &args.report))
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
    println!("    again: {}", outcome.command());
}

/// Prints the table; says whether nothing was violated and everything happened.
fn conclude(lines: &[Line], folder: &Path) -> Ending {
    if lines.is_empty() {
        return Ending::NothingRan;
    }
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
        println!("again: {}", outcome.command());
    }
    println!("The report is in {}.", folder.display());
    if clean { Ending::Clean } else { Ending::Faulty }
}
