//! A wall clock of its own for a process, which can be set while it runs.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What is loaded before the C library.
const SOURCE: &str = include_str!("own_clock.c");

/// Where the clock of a service is set.
pub(crate) fn file(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{service}.clock"))
}

/// What a process needs in its environment to look there for the time; until it is set, it is the machine's.
pub(crate) fn environment(file: &Path) -> Result<[(String, String); 2]> {
    let folder = file.parent().context("a clock is in a folder")?;
    if !file.exists() {
        fs::write(file, 0_i64.to_ne_bytes())?;
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Ok([
        ("LD_PRELOAD".to_owned(), text(&library(folder)?)),
        ("DOCKET_CHAOS_CLOCK".to_owned(), text(file)),
    ])
}

/// Sets the clock that looks there: whoever has the file open sees it at once.
pub(crate) fn set(file: &Path, offset_s: i64) -> Result<()> {
    Ok(File::options().write(true).open(file)?.write_all_at(&offset_s.to_ne_bytes(), 0)?)
}

/// Built once a run, with what the platform itself is built with.
fn library(folder: &Path) -> Result<PathBuf> {
    let (source, library) = (folder.join("own_clock.c"), folder.join("own_clock.so"));
    if !library.exists() {
        fs::write(&source, SOURCE)?;
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
        let built = cc.output().context("`cc` can't be started")?;
        ensure!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
    }
    Ok(library)
}
