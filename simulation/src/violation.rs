//! What should not be so.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A rule that a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one, such as `I7`.
    pub rule: String,
    /// What is wrong, with the values.
    pub statement: String,
    /// The events that show it.
    pub positions: Vec<u64>,
}

impl Violation {
    /// Of this rule, without positions.
    pub(crate) fn of(rule: &str, statement: String) -> Self {
        Self { rule: rule.to_owned(), statement, positions: Vec::new() }
    }
}

/// What was seen to be wrong while it happened, by whoever saw it.
#[derive(Debug, Default)]
pub(crate) struct Violations(Mutex<Vec<Violation>>);

impl Violations {
    fn list(&self) -> MutexGuard<'_, Vec<Violation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of this rule, without positions.
    pub(crate) fn found(&self, rule: &str, statement: String) {
        self.list().push(Violation::of(rule, statement));
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Violation> {
        self.list().clone()
    }
}

impl From<&invariants::Finding> for Violation {
    fn from(finding: &invariants::Finding) -> Self {
        Self {
            rule: finding.rule.id().to_owned(),
            statement: finding.statement.clone(),
            positions: finding.positions.clone(),
        }
    }
}
