//! `docket backup`: a copy of a data folder, taken while the platform runs.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
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
