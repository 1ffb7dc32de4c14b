//! `cargo xtask chaos`: builds the platform and the program that breaks it, then runs that. With a `--docket` that is there
//! already only that program is built.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::bench::target;

/// Builds and runs; the words behind `chaos` go to `chaos`.
pub(crate) fn chaos(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let is_given = words.iter().any(|word| word.starts_with("--docket"));
    let (build, profile) = if is_given {
        ("build --locked --package chaos", "debug")
    } else {
        // With the features of the whole workspace, so that nothing is built twice.
        ("build --release --locked --workspace --bin docket --bin chaos", "release")
    };
    let status = cargo.current_dir(root).args(build.split(' ')).status();
    if !status.context("`cargo build` can't be started")?.success() {
        bail!("`cargo {build}` failed");
    }
    let programs = target(root).join(profile);
    let mut run = Command::new(programs.join("chaos"));
    run.current_dir(root).args(words);
    if !is_given {
        run.arg("--docket").arg(programs.join("docket"));
    }
    let status = run.status().context("`chaos` can't be started")?;
    if !status.success() {
        bail!("`cargo xtask chaos` ended with {status}");
    }
    Ok(())
}
