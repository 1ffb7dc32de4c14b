//! Everything in one process, over a temporary folder.

use anyhow::Result;

use super::process::Process;
use super::running::{Addresses, Kept, Platform, free_address};

pub(super) fn start() -> Result<Platform> {
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let process = Process::docket("dev", |command| {
        command.args(["--listen", &address, "--data-dir"]).arg(folder.path());
    })?;
    let at = Addresses { commands: address.clone(), models: address.clone(), sagas: address };
    let kept = Kept { folder, _servers: None };
    Ok(Platform { at, processes: vec![process], kept })
}
