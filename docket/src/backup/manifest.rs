//! `manifest.json`: what a backup holds, and as of which position of which log.
//!
//! **Invariant:** it is written last: a folder without one is no backup.

use std::fs::{self, File};
use std::path::{Component, Path};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::checksum::{self, Content};

/// Its name in a backup.
const NAME: &str = "manifest.json";
/// How it is laid out; a Docket reads those that it knows.
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Contents {
    /// Data and keys.
    Everything,
    /// All but people's keys and the master key.
    Data,
    /// People's keys and the master key.
    Keys,
}

impl Contents {
    pub(super) fn has_data(self) -> bool {
        self != Self::Keys
    }

    pub(super) fn has_keys(self) -> bool {
        self != Self::Data
    }
}

/// The log as of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogThen {
    /// Its id.
    pub(super) id: String,
    /// Its epoch.
    pub(super) epoch: u32,
    /// Its last position.
    pub(super) position: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Where it is in the backup and in a data folder, with slashes.
    pub(super) path: String,
    /// How many bytes it has.
    pub(super) bytes: u64,
    /// Their SHA-256, in hex.
    pub(super) sha256: String,
}

impl Entry {
    fn content(&self) -> Content {
        Content { bytes: self.bytes, sha256: self.sha256.clone() }
    }
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// The version of Docket that made it.
    pub(super) docket: String,
    /// When.
    pub(super) taken_at: DateTime<Utc>,
    /// What it holds.
    pub(super) contents: Contents,
    /// The log then.
    pub(super) log: LogThen,
    /// The files.
    pub(super) files: Vec<Entry>,
}

impl Manifest {
    /// Of these files of a folder, which are brought to disk, and writes it beside them.
    pub(super) fn write(
        folder: &Path,
        contents: Contents,
        log: LogThen,
        paths: &[String],
    ) -> Result<Self> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let full = folder.join(path);
            let content = checksum::of(&full);
            let Content { bytes, sha256 } =
                content.with_context(|| format!("{} can't be read", full.display()))?;
            files.push(Entry { path: path.clone(), bytes, sha256 });
        }
        let (docket, taken_at) =
            (env!("CARGO_PKG_VERSION").to_owned(), service_kit::clock::system()());
        let manifest = Self { format: FORMAT, docket, taken_at, contents, log, files };
        let unfinished = folder.join(format!("{NAME}.unfinished"));
        let mut text = serde_json::to_string_pretty(&manifest)?;
        text.push('\n');
        let written = fs::write(&unfinished, text)
            .and_then(|()| File::open(&unfinished)?.sync_all())
            .and_then(|()| fs::rename(&unfinished, folder.join(NAME)))
            .and_then(|()| File::open(folder)?.sync_all());
        written.with_context(|| format!("{} can't be written", folder.join(NAME).display()))?;
        Ok(manifest)
    }

    /// The manifest of a backup.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let (path, shown) = (folder.join(NAME), folder.display());
        if !path.is_file() {
            bail!("{shown} is no whole backup: there is no {NAME} in it");
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} can't be read"))?;
        let damaged = || format!("the {NAME} of {shown} is damaged");
        let value: serde_json::Value = serde_json::from_str(&text).with_context(damaged)?;
        if value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT)) {
            bail!(
                "{shown} was made by a newer Docket ({}): restore it with that one",
                value["docket"]
            );
        }
        let manifest: Self = serde_json::from_value(value).with_context(damaged)?;
        let inside = |path: &str| {
            Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if !manifest.files.iter().all(|file| inside(&file.path)) {
            bail!("the {NAME} of {shown} names a file outside of the backup");
        }
        Ok(manifest)
    }

    /// Copies these files of the backup, each only if it is what was backed up.
    pub(super) fn copy(
        &self,
        from: &Path,
        to: &Path,
        which: impl Fn(&Entry) -> bool,
    ) -> Result<()> {
        for entry in self.files.iter().filter(|entry| which(entry)) {
            let (source, target) = (from.join(&entry.path), to.join(&entry.path));
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)
                    .with_context(|| format!("{} can't be made", parent.display()))?;
            }
            let copied = checksum::copy(&source, &target)
                .with_context(|| format!("{} can't be copied", source.display()))?;
            if copied != entry.content() {
                bail!(
                    "{} is damaged: it is not what was backed up (its checksum differs). Nothing was restored; take another backup",
                    source.display()
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(folder: &Path) -> Manifest {
        fs::create_dir(folder.join("projections")).unwrap();
        fs::write(folder.join("log.db"), "events").unwrap();
        fs::write(folder.join("projections/catalog.db"), "models").unwrap();
        let log = LogThen { id: "a".to_owned(), epoch: 1, position: 7 };
        let paths = ["log.db".to_owned(), "projections/catalog.db".to_owned()];
        Manifest::write(folder, Contents::Data, log, &paths).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again_and_its_files_are_copied() {
        let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let written = backup(folder.path());
        assert_eq!(Manifest::read(folder.path()).unwrap(), written);
        written.copy(folder.path(), target.path(), |_| true).unwrap();
        let models = fs::read_to_string(target.path().join("projections/catalog.db")).unwrap();
        assert_eq!(models, "models");
    }

    #[test]
    fn a_file_that_changed_or_is_gone_is_named() {
        for change in [Some("evEnts"), Some("event"), None] {
            let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let manifest = backup(folder.path());
            match change {
                Some(text) => fs::write(folder.path().join("log.db"), text).unwrap(),
                None => fs::remove_file(folder.path().join("log.db")).unwrap(),
            }
            let said =
                manifest.copy(folder.path(), target.path(), |_| true).unwrap_err().to_string();
            assert!(said.contains("log.db"), "{said}");
        }
    }

    #[test]
    fn a_folder_without_a_manifest_and_one_of_a_newer_docket_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let said = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is no whole backup"), "{said}");
        fs::write(folder.path().join(NAME), r#"{"format": 2, "docket": "9.0"}"#).unwrap();
        let said = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("newer Docket (\"9.0\")"), "{said}");
        fs::write(folder.path().join(NAME), "{").unwrap();
        let said = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is damaged"), "{said}");
    }

    #[test]
    fn a_manifest_that_names_files_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        backup(folder.path());
        let path = folder.path().join(NAME);
        let text = fs::read_to_string(&path).unwrap().replace("\"log.db\"", "\"../log.db\"");
        fs::write(&path, text).unwrap();
        let said = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("outside of the backup"), "{said}");
    }
}
