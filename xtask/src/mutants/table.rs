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
        matches!(self.found, Ok(Found::At { .. } | Found::BrokenOff { .. }))
    }

    /// One line of the table, which is Markdown.
    pub(super) fn line(&self) -> String {
        let Mutant { name, breaks, seeds, .. } = &self.mutant;
        let (at, rules) = match &self.found {
            Ok(Found::At { seed, rules, .. }) => (seed.to_string(), rules.as_str()),
            Ok(Found::BrokenOff { how, .. }) => ((*how).to_owned(), ""),
            Ok(Found::Nothing) => ("**survives**".to_owned(), ""),
            Err(_) => ("**error**".to_owned(), ""),
        };
        format!("| `{name}` | {breaks} | {at} | {rules} | {seeds} |")
    }
}

/// What stands above the rows.
pub(super) const HEAD: &str =
    "| Mutant | What it breaks | Found at seed | Rules | Seeds allowed |\n|--|--|--|--|--|";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_broke_off_is_found_and_no_seed_is_told() {
        let (name, breaks) = ("m".to_owned(), "it".to_owned());
        let mutant = Mutant { name, file: "m".into(), breaks, seeds: 9, changes: Vec::new() };
        let statement = "it did not come to an end".to_owned();
        let row = Row { mutant, found: Ok(Found::BrokenOff { how: "no end", statement }) };
        assert!(row.is_found());
        assert_eq!(row.line(), "| `m` | it | no end |  | 9 |");
    }
}
