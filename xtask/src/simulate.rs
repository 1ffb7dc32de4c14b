//! The simulation: built and run with the words that were given.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Runs it in release; `--debug` runs what `cargo test` has built anyway.
pub(crate) fn simulate(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let (debug, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| **word == "--debug");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["run", "--quiet", "--locked", "--package", "simulation"]);
    if debug.is_empty() {
        cargo.arg("--release");
    }
    let status = cargo.arg("--").args(words).status();
    if !status.context("the simulation can't be started")?.success() {
        bail!("the simulation found something, see above");
    }
    Ok(())
}
