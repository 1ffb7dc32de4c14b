//! What clients were told, under which key: what the platform has to stand by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use command_service::processor::Outcome;
use serde_json::Value;

use crate::violation::Violations;

/// The answers of one key.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// What was asked.
    pub(crate) command: Value,
    /// The first answer that it was done.
    pub(crate) done: Option<Outcome>,
    /// Whether it was refused, and no answer after it was another.
    pub(crate) refused: bool,
    /// Requests that were sent, answered or not.
    sent: u32,
    /// Whether a request was told that it was done by that very request.
    done_now: bool,
}

/// All answers.
pub(crate) struct Journal {
    entries: Mutex<BTreeMap<String, Entry>>,
    violations: Arc<Violations>,
}

impl Journal {
    /// An empty one; what is wrong with answers goes there.
    pub(crate) fn new(violations: Arc<Violations>) -> Self {
        Self { entries: Mutex::default(), violations }
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asks this.
    pub(crate) fn asks(&self, key: &str, command: &Value) {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        entry.command = command.clone();
    }

    /// A request for it is sent; tells whether somebody knows already that it is done.
    pub(crate) fn sends(&self, key: &str) -> bool {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        entry.sent += 1;
        entry.done.is_some()
    }

    /// A request of the key was told that it is done: by itself, or by an earlier one. One alone can have done it, and an earlier
    /// one has to be there.
    pub(crate) fn told_whose(&self, key: &str, replayed: bool) {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        let statement = match (replayed, entry.done_now) {
            (false, true) => {
                format!("Two requests of key `{key}` were told to be the one that did it.")
            }
            (true, _) if entry.sent < 2 => {
                format!("The first request of key `{key}` was told to be a repeat.")
            }
            (true | false, _) => String::new(),
        };
        entry.done_now |= !replayed;
        drop(entries);
        if !statement.is_empty() {
            self.violations.found("I14", statement);
        }
    }

    /// It was done: now, or before.
    pub(crate) fn done(&self, key: &str, outcome: Outcome) {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        let told = |outcome: &Outcome| {
            (outcome.status, outcome.body.clone(), outcome.version, outcome.position)
        };
        match &entry.done {
            Some(before) if told(before) != told(&outcome) => {
                let statement =
                    format!("Key `{key}` was answered with {before:?}, and then with {outcome:?}.");
                drop(entries);
                self.violations.found("I14", statement);
            }
            Some(_) => {}
            None => entry.done = Some(outcome),
        }
    }

    /// It was refused: a request that was sent when it was known to be done, or another, whose answer may be older than it looks.
    pub(crate) fn refused(&self, key: &str, why: &str, was_done: bool) {
        self.entries().entry(key.to_owned()).or_default().refused = true;
        if was_done {
            self.violations.found("I14", format!("Key `{key}` was done, and then refused: {why}."));
        }
    }

    /// The key of something that was done was used for something else, and that was not refused.
    pub(crate) fn misused(&self, key: &str, answer: &str) {
        self.violations
            .found("I14", format!("Key `{key}` was used for another command: {answer}."));
    }
}
