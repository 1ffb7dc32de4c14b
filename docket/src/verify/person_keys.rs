//! P13 per person: who has personal data has a key that opens it, and who was erased has none.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use command_service::{erased_person, open_erasures};
use event_store::Position;
use event_store::keys::{KeyState, KeyStore, MasterKey};
use futures::{StreamExt as _, stream};
use invariants::{Finding, Rule};

use super::persons::Persons;
use crate::data_dir::ReadLog;
use crate::numbers::counted;

/// Keys that are asked for at once.
const AT_ONCE: usize = 16;
/// Events that are read at once.
const PAGE: usize = 1_000;
/// The epoch of a log that was never put back from a backup.
const NEVER_PUT_BACK: u32 = 1;
/// People that a note names at most.
const NAMED: usize = 5;

/// What was found, and what should be known.
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    pub(super) note: Option<String>,
}

/// A key store, open, with what is known of it.
pub(super) struct Opened<'a> {
    pub(super) keys: &'a dyn KeyStore,
    /// What it is called.
    pub(super) name: String,
    /// Its master key, if it is known to be that.
    pub(super) master: Option<MasterKey>,
    /// Who destroys what came back, and when.
    pub(super) mends: &'static str,
}

/// Looks at everyone with personal data in the log, or erased there.
pub(super) async fn check(opened: &Opened<'_>, log: &ReadLog, persons: &Persons) -> Result<Looked> {
    // Before the keys: what was destroyed meanwhile is not open any more.
    let open = open_erasures(&**log).await.context("the log can't be read")?;
    let open: HashSet<String> = open.into_iter().collect();
    let find = async |person| (person, opened.keys.find(person).await);
    let mut states = stream::iter(persons.all()).map(find).buffered(AT_ONCE);
    let (mut findings, mut tombstones) = (Vec::new(), Vec::new());
    while let Some((person, state)) = states.next().await {
        match (state?, persons.sealed_at(person), persons.erased_at(person)) {
            (KeyState::Present(_), _, Some(at)) if !open.contains(person) => {
                let (name, mends) = (&opened.name, opened.mends);
                findings.push(found(at, format!(
                    "{person} was erased, and {name} has a key of that person, as after a restore: {mends}."
                )));
            }
            (KeyState::Present(key), Some(at), None) => {
                let opens = |master: &MasterKey| master.opens(person, &key);
                if !opened.master.as_ref().is_none_or(opens) {
                    findings.push(found(at, format!(
                        "The master key does not open the key of {person} in {name}, so nothing of that person's data can be \
                         read. Put {name} back from your backup.",
                        name = opened.name,
                    )));
                }
            }
            (KeyState::Absent, Some(at), None) => findings.push(found(at, format!(
                "{} has no key of {person}, who has personal data and was not erased. Put it back from your backup.",
                opened.name,
            ))),
            (KeyState::Erased { .. }, Some(at), None) => tombstones.push((person, at)),
            (KeyState::Present(_) | KeyState::Absent | KeyState::Erased { .. }, _, _) => {}
        }
    }
    let unexplained = unexplained(tombstones, log).await?;
    let mut note = None;
    if log.identity().epoch > NEVER_PUT_BACK {
        // Keys may be newer than a log that was put back: an erasure that it has lost counts all the same.
        note = noted(&unexplained, &opened.name);
    } else {
        findings.extend(unexplained.into_iter().map(|(person, at)| {
            let statement = format!(
                "{} says that {person} was erased, and the log knows nothing of it. Put it back from your backup.",
                opened.name,
            );
            found(at, statement)
        }));
    }
    Ok(Looked { findings, note })
}

fn noted(unexplained: &[(&str, Position)], name: &str) -> Option<String> {
    if unexplained.is_empty() {
        return None;
    }
    let named: Vec<&str> = unexplained.iter().take(NAMED).map(|(person, _)| *person).collect();
    let more = if unexplained.len() > NAMED { ", …" } else { "" };
    let people = counted(unexplained.len() as u64, "key");
    Some(format!(
        "{people} in {name} went with an erasure that the log has not, as after it was put back from an older backup: {}{more}.",
        named.join(", "),
    ))
}

/// Of those whose key was destroyed, whoever the log does not call erased to this day.
async fn unexplained<'p>(
    mut tombstones: Vec<(&'p str, Position)>,
    log: &ReadLog,
) -> Result<Vec<(&'p str, Position)>> {
    if !tombstones.is_empty() {
        let since = erased_since(log).await?;
        tombstones.retain(|(person, _)| !since.contains(*person));
    }
    Ok(tombstones)
}

/// Who was erased after the end of the log as it was read.
async fn erased_since(log: &ReadLog) -> Result<HashSet<String>> {
    let (mut after, mut erased) = (log.head_when_opened(), HashSet::new());
    loop {
        let page = log.read_all(after, PAGE).await.context("the log can't be read")?;
        let Some(last) = page.last() else { return Ok(erased) };
        after = last.position;
        erased.extend(page.iter().filter_map(erased_person).map(str::to_owned));
    }
}

fn found(at: Position, statement: String) -> Finding {
    Finding::at(Rule::Erasable, vec![at], statement)
}
