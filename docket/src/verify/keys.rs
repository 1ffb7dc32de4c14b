//! P13: whether everyone with personal data has a key that the master key opens, and nobody who was erased has one.

use std::path::Path;

use anyhow::{Context as _, Result};
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{CheckError, KeyStore, MasterKey};
use invariants::{Finding, Rule};

use super::person_keys::{self, Opened};
use super::persons::Persons;
use super::place::Place;
use super::report::Gap;
use crate::data_dir::{DataDir, ReadLog};
use crate::serve::KeysPlace;

/// What was found, and what should be known.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// What could not be checked.
    pub(super) gap: Option<Gap>,
}

/// A key store, open, and what it is called.
struct Store<'a> {
    keys: &'a dyn KeyStore,
    name: String,
    /// The file with the master key, if it is said where.
    master: Option<&'a Path>,
    /// Who destroys what came back, and when.
    mends: &'static str,
    /// What shows which master key is used.
    look: &'static str,
}

/// Looks at keys and master key. A copy of a log without them can be verified too.
pub(super) async fn check(place: &Place, log: &ReadLog, persons: &Persons) -> Result<Checked> {
    match place {
        Place::Folder(data) => in_folder(data, log, persons).await,
        Place::Databases(databases) => in_database(&databases.keys, log, persons).await,
    }
}

async fn in_folder(data: &DataDir, log: &ReadLog, persons: &Persons) -> Result<Checked> {
    let mut checked = Checked::default();
    let (path, master_path) = (data.keys(), data.master_key());
    match (path.is_file(), master_path.is_file()) {
        (true, true) => {}
        (false, false) => {
            let note = "There are no keys.db and master.key: people's keys were not checked.";
            checked.notes.push(note.to_owned());
            checked.gap = Some(Gap::Whole);
            return Ok(checked);
        }
        (has_keys, _) => {
            let (there, missing) =
                if has_keys { (&path, &master_path) } else { (&master_path, &path) };
            let statement = format!(
                "{} is missing, though {} is there: personal data can't be opened. Put it back from your backup.",
                missing.display(),
                there.display(),
            );
            let look = "docket dev".to_owned();
            checked.findings.push(Finding::elsewhere(Rule::Erasable, statement, look));
            return Ok(checked);
        }
    }
    let name = path.display().to_string();
    let unreadable = || format!("{name} can't be read as a key store");
    let keys = SqliteKeys::open_read_only(&path).await.with_context(unreadable)?;
    let store = Store {
        keys: &keys,
        name: name.clone(),
        master: Some(&master_path),
        mends: "the next start destroys it",
        look: "docket dev",
    };
    let looked = look(&store, log, persons, &mut checked).await;
    keys.close().await;
    looked.with_context(unreadable)?;
    Ok(checked)
}

async fn in_database(place: &KeysPlace, log: &ReadLog, persons: &Persons) -> Result<Checked> {
    let mut checked = Checked::default();
    let name = &place.database.place;
    let keys = match place.database.open_keys().await {
        Ok(keys) => keys,
        Err(error) if place.is_named => return Err(error),
        Err(_) => {
            let note = format!(
                "keys_postgres_url is not set, and {name} has no keys: they were not checked."
            );
            checked.notes.push(note);
            checked.gap = Some(Gap::Whole);
            return Ok(checked);
        }
    };
    if place.master.is_none() {
        let note = "master_key_file is not set: whether it opens people's keys was not checked.";
        checked.notes.push(note.to_owned());
        checked.gap = Some(Gap::Part);
    }
    let store = Store {
        keys: &keys,
        name: name.clone(),
        master: place.master.as_deref(),
        mends: "a command-service that runs destroys it within half a minute",
        look: "docket config print command-service",
    };
    let looked = look(&store, log, persons, &mut checked).await;
    keys.close().await;
    looked.with_context(|| format!("{name} can't be read as a key store"))?;
    Ok(checked)
}

/// Looks at the master key, then at everyone's.
async fn look(
    store: &Store<'_>,
    log: &ReadLog,
    persons: &Persons,
    checked: &mut Checked,
) -> Result<()> {
    let Store { keys, name, master: path, mends, look } = store;
    let mut right = None;
    if let Some(path) = path {
        let shown = path.display();
        let master = MasterKey::load(path)
            .with_context(|| format!("the master key {shown} can't be read"))?;
        match master.check(*keys).await {
            Ok(()) => right = Some(master),
            Err(CheckError::WrongMasterKey) => {
                let statement = format!(
                    "{shown} is not the master key of {name}: personal data can't be opened. Put the right one back \
                     from your backup.",
                );
                let look = (*look).to_owned();
                checked.findings.push(Finding::elsewhere(Rule::Erasable, statement, look));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let opened = Opened { keys: *keys, name: name.clone(), master: right, mends };
    let looked = person_keys::check(&opened, log, persons).await?;
    checked.findings.extend(looked.findings);
    checked.notes.extend(looked.note);
    Ok(())
}
