//! `cargo xtask`: what the project checks about itself, the same on every machine and in CI.
//!
//! It needs cargo alone; tools that are not installed are named and left out.

mod bench;
mod chaos;
mod contract;
mod edges;
mod house;
mod kubernetes;
mod metric_names;
mod mutants;
mod servers;
mod simulate;
mod sources;
mod steps;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The project's own commands.

Usage: cargo xtask <COMMAND>

Commands:
  test    Everything that CI runs: format, lints, house rules, tests, doc tests, licences and bans
  with-servers <CARGO COMMAND>
          Runs, say, `nextest run -p event-store` beside the servers that tests need, started once
  schemas Writes the schemas and golden files of new events and commands (schemas/), generated from the types
  bench [--quick] [--only WORD]
          Docket beside its peers and the limits of the machine: a report with plots in target/bench
  chaos [--list | --all | --fault F] [--seed N] [--runs K]
          Breaks the platform's real processes, heals them, and checks every law: a report in target/chaos
  simulate [--seed N] [--seeds M] [--debug] [...]
          The platform in one thread on a virtual clock under faults drawn from a seed (simulation/README.md)
  mutants [NAME...]
          Puts known bugs (simulation/mutants) into a copy of the tree; the simulation has to find every one
  contract [--examples N] [--seed N] [-- ...]
          What /openapi.json promises, held against what a running platform answers, by schemathesis (needs python3)
  kubernetes
          Builds the overlays of deploy/kubernetes and holds them against the schemas of Kubernetes (needs python3, and kustomize or kubectl)
  house   The house rules alone (file sizes and names, where SQL may stand, which crate may use which, metrics)
  help    This text

Each step says how long it took; the first that fails ends the run with exit code 1.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => steps::test(&workspace()),
        ["with-servers", command @ ..] if !command.is_empty() => {
            steps::with_servers(&workspace(), command)
        }
        ["kubernetes"] => kubernetes::check(&workspace()),
        ["schemas"] => steps::schemas(&workspace()),
        ["bench", words @ ..] => bench::bench(&workspace(), words),
        ["chaos", words @ ..] => chaos::chaos(&workspace(), words),
        ["contract", words @ ..] => contract::contract(&workspace(), words),
        ["simulate", words @ ..] => simulate::simulate(&workspace(), words),
        ["mutants", names @ ..] => mutants::mutants(&workspace(), names),
        ["house"] => house::check(&workspace()),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("`cargo xtask {}` is not a command\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root: the folder that this package's folder is in.
fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
