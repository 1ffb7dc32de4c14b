//! What Cargo can't bring: a Python package and npm packages, put into the target folder when a row first needs them.
//!
//! **Invariant:** a folder that is there is whole. It is filled under another name.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::process::Command;

/// The package of `UmaDB`'s server.
#[cfg(feature = "umadb")]
const UMADB: &str = "umadb==0.7.8";
/// The packages of a folder of scripts, and what they are pinned to.
const NPM_FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// A peer can't be had here. Its rows are skipped; nothing has failed.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Missing {}

impl Missing {
    /// Why it can't be had.
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The folder of `UmaDB`'s Python package.
#[cfg(feature = "umadb")]
pub(crate) async fn umadb() -> anyhow::Result<PathBuf> {
    let pip = async |folder: &Path| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--retries", "1", "--target"]);
        run(pip.arg(folder).arg(UMADB)).await
    };
    in_target("umadb", pip).await
}

/// The `node_modules` of the packages that the given folder's lock file names.
pub(crate) async fn npm(scripts: &str) -> anyhow::Result<PathBuf> {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join(scripts);
    let ci = async |folder: &Path| {
        for name in NPM_FILES {
            tokio::fs::copy(files.join(name), folder.join(name)).await?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1"]);
        run(npm.current_dir(folder)).await
    };
    Ok(in_target(scripts, ci).await?.join("node_modules"))
}

/// Fills a folder in the target folder, if it is not there yet.
async fn in_target(
    name: &str,
    fill: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/installed");
    let folder = target.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    tokio::fs::create_dir_all(&target).await?;
    let own = tempfile::Builder::new().prefix(name).tempdir_in(&target)?;
    fill(own.path())
        .await
        .map_err(|error| Missing::because(format!("{name} can't be installed: {error:#}")))?;
    match tokio::fs::rename(own.path(), &folder).await {
        Ok(()) => {
            // It has another name now; there is nothing left to remove.
            let _ = own.keep();
            Ok(folder)
        }
        // Another process was first.
        Err(_) if folder.is_dir() => Ok(folder),
        Err(error) => Err(error.into()),
    }
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let ended = command.output().await.with_context(|| format!("`{program}` can't be started"))?;
    let told = String::from_utf8_lossy(&ended.stderr);
    let last = told.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
    anyhow::ensure!(ended.status.success(), "`{program}` failed: {last}");
    Ok(())
}
