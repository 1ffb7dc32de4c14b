//! The binaries of a batch: those that were named, or one that is built from this tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::args::Args;
use crate::stack::Programs;

/// With the features of the whole workspace, so that nothing is built twice.
const BUILD: [&str; 6] = ["build", "--release", "--locked", "--workspace", "--bin", "docket"];
/// Where cargo puts it below its folder.
const BUILT: &str = "release/docket";

/// Finds them, and builds what was not named.
///
/// # Errors
/// When one that was named is not there, or the build fails.
pub(crate) fn find(args: &Args) -> Result<Programs> {
    let other = args.other.as_deref().map(there).transpose()?;
    let docket = match &args.docket {
        Some(named) => there(named)?,
        None => built()?,
    };
    let other = other.unwrap_or_else(|| docket.clone());
    Ok(Programs { docket, other })
}

fn there(program: &Path) -> Result<PathBuf> {
    ensure!(program.is_file(), "{} is not there", program.display());
    program.canonicalize().with_context(|| format!("{} can't be reached", program.display()))
}

fn built() -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let status = cargo.args(BUILD).status().context("`cargo build` can't be started")?;
    ensure!(status.success(), "`cargo {}` failed", BUILD.join(" "));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    there(&target.join(BUILT))
}
