//! The simulation: built and run with the words that were given.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// What only asks how it is called.
const ASKS: [&str; 3] = ["-h", "--help", "help"];

/// Runs it in release; `--debug` runs what `cargo test` has built anyway, and so does whoever only asks for help.
pub(crate) fn simulate(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let (debug, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| **word == "--debug");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["run", "--quiet", "--locked", "--package", "simulation"]);
    let asks = words.iter().any(|word| ASKS.contains(word));
    if debug.is_empty() && !asks {
        cargo.arg("--release");
    }
    let status = cargo.arg("--").args(words).status();
    let status = status.context("the simulation can't be started")?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => bail!("the simulation found something, see above"),
        _ => bail!("the simulation was not run to its end ({status}), see above"),
    }
}
