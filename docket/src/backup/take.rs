//! `docket backup`: a copy of a data folder, taken while the platform runs.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::cut;
use super::manifest::{Contents, Manifest};
use crate::data_dir::{DataDir, DataDirArg};
use crate::numbers::grouped;
use crate::output;

/// Copy a data folder into a new one; the platform may be running and goes on
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Whoever has the keys of a backup can read everyone who was not erased when it was taken: keep \
    keys apart (--without-keys, --keys-only) and for days only, data as long as you like."
)]
pub(crate) struct BackupArgs {
    /// Folder of the backup; made, and refused when there is anything in it
    target: PathBuf,
    #[command(flatten)]
    data: DataDirArg,
    /// Leave out people's keys and the master key: without those personal data can't be read, nor the backup restored
    #[arg(long)]
    without_keys: bool,
    /// Only people's keys and the master key
    #[arg(long, conflicts_with = "without_keys")]
    keys_only: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    fn contents(&self) -> Contents {
        match (self.without_keys, self.keys_only) {
            (true, _) => Contents::Data,
            (_, true) => Contents::Keys,
            _ => Contents::Everything,
        }
    }

    /// Makes the backup and says what it holds.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let begun = Instant::now();
        let data = DataDir::existing(&self.data.data_dir)?;
        outside_of(data.path(), &self.target)?;
        make_empty(&self.target)?;
        let taken = match take(&data, &self.target, self.contents()).await {
            Ok(taken) => taken,
            Err(error) => {
                clear(&self.target);
                return Err(error.context("there is no backup"));
            }
        };
        if self.json {
            output::line(serde_json::to_string_pretty(&taken)?)?;
        } else {
            output::line(in_words(&taken, &self.target, begun.elapsed().as_secs_f64()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn take(data: &DataDir, target: &Path, contents: Contents) -> Result<Manifest> {
    let (log, files) = cut::copy(data, target, contents).await?;
    Manifest::write(target, contents, log, &files)
}

fn in_words(taken: &Manifest, target: &Path, seconds: f64) -> String {
    let bytes: u64 = taken.files.iter().map(|file| file.bytes).sum();
    let what = match taken.contents {
        Contents::Everything => "data and keys",
        Contents::Data => "data without keys",
        Contents::Keys => "keys",
    };
    let (position, epoch, shown) = (grouped(taken.log.position), taken.log.epoch, target.display());
    let (files, bytes) = (taken.files.len(), grouped(bytes));
    format!(
        "{shown}: {what} as of position {position} (epoch {epoch}), {files} files, {bytes} bytes, in {seconds:.1} s"
    )
}

/// What lies in the data folder is data to whoever looks into it, and is gone with it.
fn outside_of(data: &Path, target: &Path) -> Result<()> {
    let unknown = |path: &Path| format!("where {} leads can't be told", path.display());
    let data = data.canonicalize().with_context(|| unknown(data))?;
    if leads_to(target).with_context(|| unknown(target))?.starts_with(&data) {
        bail!(
            "{} lies in the data folder {}, and would be gone with it: a backup is made in a folder of its own outside of it",
            target.display(),
            data.display()
        );
    }
    Ok(())
}

/// Where a path leads of which the end may not be there yet.
fn leads_to(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let (mut there, mut missing) = (path.as_path(), Vec::new());
    let mut leads = loop {
        match (there.canonicalize(), there.parent()) {
            (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
                missing.extend(there.components().next_back());
                there = parent;
            }
            (found, _) => break found?,
        }
    };
    for part in missing.into_iter().rev() {
        if part == Component::ParentDir {
            leads.pop();
        } else {
            leads.push(part);
        }
    }
    Ok(leads)
}

/// A folder that only we may look into, with nothing in it.
fn make_empty(target: &Path) -> Result<()> {
    let shown = target.display();
    if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).with_context(|| format!("{shown} can't be made"))?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(target) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.with_context(|| format!("{shown} can't be made")),
    }
    let mut inside = fs::read_dir(target).with_context(|| format!("{shown} is no folder"))?;
    if inside.next().is_some() {
        bail!("{shown} is not empty: a backup is made in a folder of its own");
    }
    Ok(())
}

/// Takes away what a backup left that failed, as far as it can be.
fn clear(target: &Path) {
    if let Err(error) = fs::remove_dir_all(target) {
        output::note(format_args!("{} can't be removed: {error}", target.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_made_outside_of_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let of = |path: &str| folder.path().join(path);
        fs::create_dir_all(of("data/projections")).unwrap();
        fs::create_dir(of("data-2")).unwrap();
        for inside in ["data", "data/b", "data/projections/a/b", "new/../data/b", "data-2/../data"]
        {
            let said = outside_of(&of("data"), &of(inside)).unwrap_err().to_string();
            assert!(said.contains("lies in the data folder"), "{inside}: {said}");
        }
        for outside in ["data-2", "data-2/b", "data/../b", "data/new/../../b", "a/b/c"] {
            outside_of(&of("data"), &of(outside)).unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(of("data"), of("link")).unwrap();
            outside_of(&of("data"), &of("link/b")).unwrap_err();
            outside_of(&of("link"), &of("data/b")).unwrap_err();
        }
    }

    #[test]
    fn a_backup_is_made_in_a_folder_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        make_empty(&new).unwrap();
        make_empty(&new).unwrap();
        fs::write(new.join("log.db"), "").unwrap();
        let said = make_empty(&new).unwrap_err().to_string();
        assert!(said.contains("is not empty"), "{said}");
        let said = make_empty(&new.join("log.db")).unwrap_err().to_string();
        assert!(said.contains("is no folder"), "{said}");
    }
}
