//! The moment that a backup shows.
//!
//! What follows the log (read models, sagas, dead letters, notifications) is fixed first: it may be behind the log, never ahead of it. The
//! log is fixed while keys and ledger stand still: of whatever it tells, the provider has done its part and the key is
//! there, and neither has more than it tells of. That takes less than a millisecond, and appends go on meanwhile; the files are copied
//! afterwards, each as of its moment.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use event_store::EventLog as _;
use event_store::sqlite::SqliteLog;
use storage::{Prepared, Snapshot, Standstill};

use super::manifest::{Contents, LogThen};
use crate::data_dir::DataDir;

/// Copies a data folder into an empty one; the log then, and the files that were made.
pub(super) async fn copy(
    data: &DataDir,
    target: &Path,
    contents: Contents,
) -> Result<(LogThen, Vec<String>)> {
    let mut following = Vec::new();
    if contents.has_data() {
        for path in following_the_log(data)? {
            following.extend(File::prepare(data, target, path).await?);
        }
    }
    let mut log = None;
    if contents.has_data() {
        log = File::prepare(data, target, data.log()).await?;
    }
    let mut still = Vec::new();
    if contents.has_keys() {
        still.extend(File::prepare(data, target, data.keys()).await?);
    }
    if contents.has_data() {
        still.extend(File::prepare(data, target, data.ledger()).await?);
    }

    let mut fixed = Vec::new();
    for file in following {
        fixed.push(file.fix().await?);
    }
    let (held, then) = hold(data, log, still).await?;
    // Keys first: an erasure meanwhile has to wait until they are copied.
    let mut paths = Vec::new();
    for file in held.into_iter().chain(fixed) {
        paths.push(file.copy().await?);
    }
    if contents.has_keys() {
        let master = data.master_key();
        let name = name_in(data, &master);
        fs::copy(&master, target.join(&name))
            .with_context(|| format!("{} can't be copied", master.display()))?;
        paths.push(name);
    }
    let then = match then {
        Some(then) => then,
        None => look(&target.join(name_in(data, &data.log()))).await?,
    };
    Ok((then, paths))
}

/// Fixes these files while they stand still, and the log meanwhile. Where the log is not copied, how far it is.
async fn hold(
    data: &DataDir,
    log: Option<File<Prepared>>,
    still: Vec<File<Prepared>>,
) -> Result<(Vec<File<Snapshot>>, Option<LogThen>)> {
    let mut standing = Vec::new();
    for file in &still {
        standing.push(Standstill::begin(&file.path).await.with_context(|| file.failed())?);
    }
    let (mut then, mut fixed_log) = (None, None);
    match log {
        Some(log) => fixed_log = Some(log.fix().await?),
        None => then = Some(look(&data.log()).await?),
    }
    let mut fixed = Vec::new();
    for file in still {
        fixed.push(file.fix().await?);
    }
    for one in standing {
        one.end().await?;
    }
    fixed.extend(fixed_log);
    Ok((fixed, then))
}

/// Which log a file is, and how far it goes.
async fn look(path: &Path) -> Result<LogThen> {
    let log = SqliteLog::open_read_only(path).await;
    let log = log.with_context(|| format!("{} can't be read as an event log", path.display()))?;
    let (identity, position) = (log.identity(), *log.head().borrow());
    log.close().await;
    Ok(LogThen { id: identity.log.to_string(), epoch: identity.epoch, position })
}

/// The files that follow the log: what names the models before the models.
fn following_the_log(data: &DataDir) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let folder = data.projections();
    if folder.is_dir() {
        let unreadable = || format!("{} can't be listed", folder.display());
        for entry in fs::read_dir(&folder).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "db") {
                paths.push(path);
            }
        }
    }
    paths.sort_by_key(|path| {
        (path.file_name().is_none_or(|name| name != "catalog.db"), path.clone())
    });
    paths.extend([data.sagas(), data.dead_letters(), data.notifications()]);
    Ok(paths)
}

/// A file of the data folder on its way into the backup.
struct File<T> {
    path: PathBuf,
    name: String,
    state: T,
}

impl File<Prepared> {
    /// `None` when there is no such file, as an old generation of a read model that was dropped meanwhile.
    async fn prepare(data: &DataDir, target: &Path, path: PathBuf) -> Result<Option<Self>> {
        let (name, essential) = (name_in(data, &path), [data.log(), data.keys()].contains(&path));
        if !path.exists() && !essential {
            return Ok(None);
        }
        let to = target.join(&name);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("{} can't be made", parent.display()))?;
        }
        match Prepared::open(&path, &to).await {
            Ok(state) => Ok(Some(Self { path, name, state })),
            Err(_) if !path.exists() && !essential => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} can't be copied", path.display())),
        }
    }

    async fn fix(self) -> Result<File<Snapshot>> {
        let failed = self.failed();
        let state = self.state.fix().await.context(failed)?;
        Ok(File { path: self.path, name: self.name, state })
    }
}

impl File<Snapshot> {
    /// Its name in the backup.
    async fn copy(self) -> Result<String> {
        let failed = self.failed();
        self.state.copy().await.context(failed)?;
        Ok(self.name)
    }
}

impl<T> File<T> {
    fn failed(&self) -> String {
        format!("{} can't be copied", self.path.display())
    }
}

/// Where a file is in its folder, with slashes.
fn name_in(data: &DataDir, path: &Path) -> String {
    let inside = path.strip_prefix(data.path()).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The part of the documentation that says what a backup holds.
    fn table() -> &'static str {
        let page = include_str!("../../../docs/backup.md");
        let (_, rest) = page.split_once("## Which parts there are").unwrap();
        rest.split_once("\n## ").unwrap().0
    }

    #[test]
    fn the_documentation_names_every_file_of_a_backup_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let mut files = following_the_log(&data).unwrap();
        files.extend([data.log(), data.keys(), data.ledger(), data.master_key()]);
        let mut files: BTreeSet<String> = files.iter().map(|path| name_in(&data, path)).collect();
        files.insert(format!("{}/", name_in(&data, &data.projections())));
        let named = table().split('`').skip(1).step_by(2);
        let is_file = |name: &&str| name.ends_with('/') || name.contains('.');
        let named: BTreeSet<String> = named.filter(is_file).map(str::to_owned).collect();
        assert_eq!(named, files);
    }
}
