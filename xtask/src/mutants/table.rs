//! What was found, for people.

use super::hunt::Found;
use super::patch::Mutant;

/// A mutant and what became of it.
pub(super) struct Row {
    pub(super) mutant: Mutant,
    pub(super) found: anyhow::Result<Found>,
}

impl Row {
    /// Whether it was found.
    pub(super) fn is_found(&self) -> bool {
        matches!(self.found, Ok(Found::At { .. }))
    }

    /// One line of the table, which is Markdown.
    pub(super) fn line(&self) -> String {
        let Mutant { name, breaks, seeds, .. } = &self.mutant;
        let (at, rules) = match &self.found {
            Ok(Found::At { seed, rules, .. }) => (seed.to_string(), rules.as_str()),
            Ok(Found::Nothing) => ("**survives**".to_owned(), ""),
            Err(_) => ("**error**".to_owned(), ""),
        };
        format!("| `{name}` | {breaks} | {at} | {rules} | {seeds} |")
    }
}

/// What stands above the rows.
pub(super) const HEAD: &str =
    "| Mutant | What it breaks | Found at seed | Rules | Seeds allowed |\n|--|--|--|--|--|";
