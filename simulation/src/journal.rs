//! What clients were told, under which key: what the platform has to stand by.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use command_service::processor::Outcome;
use serde_json::Value;

use crate::violation::Violation;

/// The answers of one key.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// What was asked.
    pub(crate) command: Value,
    /// The first answer that it was done.
    pub(crate) done: Option<Outcome>,
    /// Whether it was refused, and no answer after it was another.
    pub(crate) refused: bool,
    /// Whether somebody asked without getting a final answer.
    pub(crate) unsure: bool,
}

/// All answers.
#[derive(Default)]
pub(crate) struct Journal {
    entries: Mutex<BTreeMap<String, Entry>>,
    violations: Mutex<Vec<Violation>>,
}

impl Journal {
    pub(crate) fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the answers themselves.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn violated(&self, rule: &'static str, statement: String) {
        let violation = Violation { rule: rule.to_owned(), statement, positions: Vec::new() };
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(violation);
    }

    /// Somebody asks this.
    pub(crate) fn asks(&self, key: &str, command: &Value) {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        entry.command = command.clone();
        entry.unsure = true;
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
                self.violated("I14", statement);
            }
            Some(_) => {}
            None => entry.done = Some(outcome),
        }
    }

    /// It was refused.
    pub(crate) fn refused(&self, key: &str, why: &str) {
        let mut entries = self.entries();
        let entry = entries.entry(key.to_owned()).or_default();
        entry.refused = true;
        if entry.done.is_some() {
            drop(entries);
            self.violated("I14", format!("Key `{key}` was done, and then refused: {why}."));
        }
    }

    /// The key of something that was done was used for something else, and that was not refused.
    pub(crate) fn misused(&self, key: &str, answer: &str) {
        self.violated("I14", format!("Key `{key}` was used for another command: {answer}."));
    }
}
