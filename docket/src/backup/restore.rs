//! `docket restore`: a backup put back into an empty data folder.
//!
//! **Invariant:** a folder that was restored in part does not start. What is put back is a new epoch of its log: what was told
//! of events after the backup is refused, and erasures are applied to the keys again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use event_store::EventLog as _;
use event_store::sqlite::SqliteLog;
use projection_service::offline;

use super::manifest::{Contents, Entry, Manifest};
use crate::data_dir::{DataDir, DataDirArg};
use crate::numbers::grouped;
use crate::output;

/// What a file system puts into an empty folder by itself.
const NOTHING: &str = "lost+found";

/// Put a backup back into an empty data folder
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What happened after the backup is not in it. That goes for erasures too: with the newest keys (--keys) \
    whoever was erased until those were taken stays unreadable."
)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup
    source: PathBuf,
    #[command(flatten)]
    data: DataDirArg,
    /// Folder of another backup whose keys are taken: the newest one
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl RestoreArgs {
    /// Puts it back and says what is there now.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let manifest = Manifest::read(&self.source)?;
        let keys = self
            .keys
            .as_deref()
            .map(|folder| Ok::<_, anyhow::Error>((folder, Manifest::read(folder)?)));
        let keys = keys.transpose()?;
        check(&self.source, &manifest, keys.as_ref())?;
        let data = empty(&self.data.data_dir)?;
        let staging = DataDir::create(&data.restoring())?;
        let restored = put_back(&staging, &self.source, &manifest, keys.as_ref()).await;
        let epoch = match restored {
            Ok(epoch) => epoch,
            Err(error) => {
                if let Err(error) = fs::remove_dir_all(staging.path()) {
                    output::note(format_args!(
                        "{} can't be removed: {error}",
                        staging.path().display()
                    ));
                }
                return Err(error);
            }
        };
        move_in(&data, &staging)?;
        let shown = data.path().display();
        output::line(format_args!(
            "{shown}: {} events of the log as of {}, from now on epoch {epoch}. Start it with `docket --data-dir {shown}`, and look \
             at it with `docket verify --data-dir {shown}`",
            grouped(manifest.log.position),
            manifest.taken_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A backup and where it is.
type At<'a> = (&'a Path, Manifest);

/// Whether data and keys are there and go together.
fn check(source: &Path, data: &Manifest, keys: Option<&At<'_>>) -> Result<()> {
    let shown = source.display();
    if !data.contents.has_data() {
        bail!(
            "{shown} holds keys only: restore a backup of the data, and name this one with --keys"
        );
    }
    let Some((folder, keys)) = keys else {
        if data.contents == Contents::Data {
            bail!("{shown} was made without keys: name the backup that has them with --keys");
        }
        return Ok(());
    };
    let folder = folder.display();
    if !keys.contents.has_keys() {
        bail!("{folder} was made without keys: name one that has them with --keys");
    }
    if keys.log.id != data.log.id {
        bail!(
            "the keys in {folder} are of log {}, the data in {shown} is of log {}",
            keys.log.id,
            data.log.id
        );
    }
    if (keys.log.epoch, keys.log.position) < (data.log.epoch, data.log.position) {
        bail!(
            "the keys in {folder} are as of position {}, the data in {shown} is as of position {}: of people who came in \
             between there would be no key. Name keys that are not older than the data",
            grouped(keys.log.position),
            grouped(data.log.position)
        );
    }
    Ok(())
}

/// A data folder without data.
fn empty(folder: &Path) -> Result<DataDir> {
    let data = DataDir::create(folder)?;
    let shown = folder.display();
    let unreadable = || format!("{shown} can't be listed");
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name();
        if name != NOTHING {
            bail!(
                "{shown} is not empty (there is {}): a backup is put back into an empty folder; name one with --data-dir",
                name.display()
            );
        }
    }
    Ok(data)
}

/// Copies everything, compares it with the manifests, and begins an epoch; which one.
async fn put_back(
    staging: &DataDir,
    source: &Path,
    manifest: &Manifest,
    keys: Option<&At<'_>>,
) -> Result<u32> {
    let is_key = |entry: &Entry| {
        let path = staging.path().join(&entry.path);
        path == staging.keys() || path == staging.master_key()
    };
    match keys {
        None => manifest.copy(source, staging.path(), |_| true)?,
        Some((folder, keys)) => {
            manifest.copy(source, staging.path(), |entry| !is_key(entry))?;
            keys.copy(folder, staging.path(), is_key)?;
        }
    }
    let missing = [staging.log(), staging.keys(), staging.master_key(), staging.sagas()];
    if let Some(missing) = missing.iter().find(|path| !path.is_file()) {
        let name = missing.file_name().unwrap_or_default().display();
        bail!("{} has no {name}: the backup is not whole", source.display());
    }
    begin_epoch(staging).await
}

/// The log may lack what others were told of; sagas and read models follow it as it is.
async fn begin_epoch(staging: &DataDir) -> Result<u32> {
    let mut log = SqliteLog::open(&staging.log()).await.context("the log can't be opened")?;
    let seen = log.identity().epoch;
    let raised = log.raise_epoch(seen).await;
    let epoch = log.identity().epoch;
    log.close().await;
    raised?;
    let sagas = saga_orchestrator::enter_epoch(staging.sagas(), epoch).await;
    sagas.context("the sagas can't be opened")?;
    if staging.projections().is_dir() {
        let models = offline::enter_epoch(&staging.projections(), epoch).await;
        models.context("the read models can't be opened")?;
    }
    Ok(epoch)
}

/// Moves everything to where it belongs, the log last: without it nothing starts.
fn move_in(data: &DataDir, staging: &DataDir) -> Result<()> {
    let mut paths = Vec::new();
    let unreadable = || format!("{} can't be listed", staging.path().display());
    for entry in fs::read_dir(staging.path()).with_context(unreadable)? {
        paths.push(entry.with_context(unreadable)?.path());
    }
    paths.sort_by_key(|path| *path == staging.log());
    for from in paths {
        let to = data.path().join(from.file_name().unwrap_or_default());
        fs::rename(&from, &to).with_context(|| format!("{} can't be moved", from.display()))?;
    }
    let synced = File::open(data.path()).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("{} can't be brought to disk", data.path().display()))?;
    fs::remove_dir(staging.path())
        .with_context(|| format!("{} can't be removed", staging.path().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_anything_in_it_is_not_restored_into() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(NOTHING)).unwrap();
        empty(folder.path()).unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        let said = empty(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is not empty (there is notes.txt)"), "{said}");
    }

    #[test]
    fn a_restore_that_was_cut_off_at_any_place_does_not_start() {
        let files = ["keys.db", "master.key", "payments-simulator.db", "sagas.db", "log.db"];
        for moved in 0..=files.len() {
            let folder = tempfile::tempdir().unwrap();
            let data = DataDir::create(folder.path()).unwrap();
            let staging = DataDir::create(&data.restoring()).unwrap();
            for (at, name) in files.iter().enumerate() {
                let place = if at < moved { data.path() } else { staging.path() };
                fs::write(place.join(name), "").unwrap();
            }
            let said = data.check_log().unwrap_err().to_string();
            assert!(said.contains("was not finished"), "{said}");
            if moved < files.len() {
                assert!(empty(data.path()).is_err());
            }
        }
    }

    #[test]
    fn what_was_restored_is_where_it_belongs_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let staging = DataDir::create(&data.restoring()).unwrap();
        fs::create_dir(staging.projections()).unwrap();
        fs::write(staging.log(), "events").unwrap();
        move_in(&data, &staging).unwrap();
        assert_eq!(fs::read_to_string(data.log()).unwrap(), "events");
        assert!(data.projections().is_dir() && !data.restoring().exists());
        data.check_log().unwrap();
    }
}
