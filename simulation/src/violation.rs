//! What should not be so.

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

impl From<&invariants::Finding> for Violation {
    fn from(finding: &invariants::Finding) -> Self {
        Self {
            rule: finding.rule.id().to_owned(),
            statement: finding.statement.clone(),
            positions: finding.positions.clone(),
        }
    }
}
