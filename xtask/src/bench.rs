//! `cargo xtask bench`: builds what is measured, then lets the benchmarks' own program run it all and write the report.
//!
//! It measures nothing itself. The peers are a workspace of their own, so that nothing of theirs gets into Docket; where
//! they can't be built, the report says why, and everything else is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Where the peers' workspace is.
const PEERS: &str = "benchmarks/peers";

/// Builds and runs; the words behind `bench` go to `benchmarks run`.
pub(crate) fn bench(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    build(root, &["--package", "docket", "--package", "benchmarks"])?;
    let mut run = Command::new(target(root).join("release/benchmarks"));
    run.current_dir(root).arg("run").args(words);
    match peers(root) {
        Ok(program) => run.arg("--peers").arg(program),
        Err(why) => run.arg("--no-peers").arg(format!("{why:#}")),
    };
    let status = run.status().context("the benchmarks can't be started")?;
    if !status.success() {
        bail!("the benchmarks ended with {status}");
    }
    Ok(())
}

/// The program that measures the peers.
fn peers(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(PEERS);
    if !folder.join("Cargo.toml").exists() {
        bail!("{PEERS} is not there");
    }
    // One client needs a tool of another ecosystem to be built. Without it the others are measured.
    if let Err(whole) = build(&folder, &[]) {
        println!("-- {whole:#}; once more without what needs other tools");
        build(&folder, &["--no-default-features"])?;
    }
    Ok(folder.join("target/release/peers"))
}

fn build(folder: &Path, more: &[&str]) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(folder).args(["build", "--release", "--locked"]).args(more);
    let status = cargo.status().context("`cargo build` can't be started")?;
    if !status.success() {
        bail!("`cargo build` in {} ended with {status}", folder.display());
    }
    Ok(())
}

/// Where cargo puts what it builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
