//! P13: whether the master key opens people's keys, and nobody who was erased has one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use command_service::{erased_person, open_erasures};
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{CheckError, KeyState, KeyStore as _, MasterKey};
use event_store::{Position, RecordedEvent};
use invariants::{Finding, Rule};

use super::place::Place;
use crate::data_dir::ReadLog;

/// What was found, and what should be known.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// Who was erased in the log, and where.
#[derive(Debug, Default)]
pub(super) struct Erased(BTreeMap<String, Position>);

impl Erased {
    pub(super) fn observe(&mut self, event: &RecordedEvent) {
        if let Some(person) = erased_person(event) {
            self.0.insert(person.to_owned(), event.position);
        }
    }
}

/// Looks at keys and master key. A copy of a log without them can be verified too.
pub(super) async fn check(place: &Place, log: &ReadLog, erased: &Erased) -> Result<Checked> {
    let mut checked = Checked::default();
    let Place::Folder(data) = place else {
        let note = "People's keys were not checked: a command-service does that when it starts.";
        checked.notes.push(note.to_owned());
        return Ok(checked);
    };
    let (path, master_path) = (data.keys(), data.master_key());
    match (path.is_file(), master_path.is_file()) {
        (true, true) => {}
        (false, false) => {
            let note = "There are no keys.db and master.key: people's keys were not checked.";
            checked.notes.push(note.to_owned());
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
    let master = MasterKey::load(&master_path)
        .with_context(|| format!("the master key {} can't be read", master_path.display()))?;
    let unreadable = || format!("{} can't be read as a key store", path.display());
    let keys = SqliteKeys::open_read_only(&path).await.with_context(unreadable)?;
    match master.check(&keys).await {
        Ok(()) => {}
        Err(CheckError::WrongMasterKey) => {
            let statement = format!(
                "{} is not the master key of {}: personal data can't be opened. Put the right one back from your backup.",
                master_path.display(),
                path.display(),
            );
            let look = "docket dev".to_owned();
            checked.findings.push(Finding::elsewhere(Rule::Erasable, statement, look));
        }
        Err(error) => return Err(error).with_context(unreadable),
    }
    // Before the keys: what was destroyed meanwhile is not open any more.
    let open = open_erasures(&**log).await.context("the log can't be read")?;
    for (person, position) in erased.0.iter().filter(|(person, _)| !open.contains(person)) {
        if let KeyState::Present(_) = keys.find(person).await.with_context(unreadable)? {
            let statement = format!(
                "{person} was erased, and {} has a key of that person, as after a restore: the next start destroys it.",
                path.display(),
            );
            checked.findings.push(Finding::at(Rule::Erasable, vec![*position], statement));
        }
    }
    keys.close().await;
    Ok(checked)
}
