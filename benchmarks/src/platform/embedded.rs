//! Everything in one process, over a temporary folder.

use anyhow::Result;
use tempfile::TempDir;

use super::process::Process;
use super::running::{Addresses, Kept, Platform, free_address};

pub(super) fn start() -> Result<Platform> {
    start_in(tempfile::tempdir()?)
}

/// Over a folder in which there may be something already.
pub(super) fn start_in(folder: TempDir) -> Result<Platform> {
    let address = free_address()?;
    let process = Process::docket("dev", |command| {
        command.args(["--listen", &address, "--data-dir"]).arg(folder.path());
    })?;
    let at = Addresses { commands: address.clone(), models: address.clone(), sagas: address };
    let kept = Kept { folder, _servers: None };
    Ok(Platform { at, processes: vec![process], kept })
}
