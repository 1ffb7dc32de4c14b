//! `cargo xtask chaos`: builds the program that breaks the platform, and runs it. That one builds the platform once it knows
//! that it is to be broken, so that what only asks or errs has its answer at once.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// Builds and runs; the words behind `chaos` go to `chaos`.
pub(crate) fn chaos(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["run", "--locked", "--package", "chaos", "--"]);
    let status = cargo.args(words).status().context("`cargo run` can't be started")?;
    if !status.success() {
        bail!("`cargo xtask chaos` ended with {status}");
    }
    Ok(())
}
