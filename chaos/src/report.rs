//! The table: a line a fault, for people, as JSON and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};
use serde_json::json;

use crate::catalogue::{FAULTS, SOMEWHERE};
use crate::fault::Fault;
use crate::run::Outcome;

/// All runs of a fault.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) fault: &'static Fault,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A line for each fault that was run, in the order of the catalogue.
pub(crate) fn lines(outcomes: Vec<Outcome>) -> Vec<Line> {
    let mut lines: Vec<Line> =
        FAULTS.iter().map(|fault| Line { fault, outcomes: Vec::new() }).collect();
    for outcome in outcomes {
        if let Some(line) = lines.iter_mut().find(|line| line.fault.id == outcome.fault) {
            line.outcomes.push(outcome);
        }
    }
    lines.retain(|line| !line.outcomes.is_empty());
    lines
}

impl Line {
    pub(crate) fn violations(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.violations.len()).sum()
    }

    /// What never happened, though it has to once in several runs.
    pub(crate) fn never(&self) -> Vec<&'static str> {
        let happened = self.happened();
        let sometimes = self.fault.sometimes.iter().copied();
        sometimes.filter(|what| !happened.contains_key(what)).collect()
    }

    fn happened(&self) -> BTreeMap<&str, u64> {
        let mut all = BTreeMap::new();
        for (what, count) in self.outcomes.iter().flat_map(|outcome| &outcome.happened) {
            *all.entry(what.as_str()).or_default() += count;
        }
        all
    }

    /// Of all recoveries of all runs, this share took at most so long.
    fn recovery_ms(&self, percent: usize) -> Option<u64> {
        let mut all: Vec<u64> =
            self.outcomes.iter().flat_map(|outcome| outcome.recovery_ms.clone()).collect();
        all.sort_unstable();
        let last = all.len().checked_sub(1)?;
        all.get((last * percent).div_ceil(100)).copied()
    }

    /// What the fault is about; all else is in the JSON.
    fn in_words(&self) -> String {
        let happened = self.happened();
        let own = self.fault.must.iter().chain(self.fault.sometimes).copied();
        let named = ["acknowledged"].into_iter().chain(own);
        let told = |what| happened.get(what).map(|count| format!("{count} {what}"));
        named.filter_map(told).collect::<Vec<_>>().join(", ")
    }

    /// Such as `1–5, 9`.
    fn seeds(&self) -> String {
        let mut seeds: Vec<u64> = self.outcomes.iter().map(|outcome| outcome.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let runs = seeds.chunk_by(|one, next| one + 1 == *next);
        let words = runs.filter_map(|run| match run {
            [] => None,
            [one] => Some(one.to_string()),
            [first, .., last] => Some(format!("{first}–{last}")),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// What never happened, though it has to somewhere.
pub(crate) fn nowhere(lines: &[Line]) -> Vec<&'static str> {
    let happened = |what: &&str| lines.iter().any(|line| line.happened().contains_key(what));
    SOMEWHERE.into_iter().filter(|what| !happened(what)).collect()
}

/// The table, for people and for Markdown alike.
pub(crate) fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    let header =
        ["Fault", "", "Seeds", "Runs", "Violations", "Recovery p50", "p95", "What happened"];
    table.set_header(header);
    for line in lines {
        let recovery = |percent| match line.recovery_ms(percent) {
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            Some(ms) => format!("{:.1} s", ms as f64 / 1_000.0),
            None => "–".to_owned(),
        };
        table.add_row([
            line.fault.id.to_owned(),
            line.fault.name.to_owned(),
            line.seeds(),
            line.outcomes.len().to_string(),
            line.violations().to_string(),
            recovery(50),
            recovery(95),
            line.in_words(),
        ]);
    }
    table
}

/// Writes the report as JSON and as Markdown.
pub(crate) fn write(folder: &Path, lines: &[Line], left_out: &[(&str, String)]) -> Result<()> {
    let faults: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "fault": line.fault.id, "name": line.fault.name, "runs": line.outcomes.len(),
                "violations": line.violations(), "recovery_p50_ms": line.recovery_ms(50),
                "recovery_p95_ms": line.recovery_ms(95), "happened": line.happened(),
                "never_happened": line.never(), "outcomes": line.outcomes,
            })
        })
        .collect();
    let report = json!({ "faults": faults, "left_out": left_out });
    std::fs::write(folder.join("report.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    let mut text = format!("# Chaos\n\n{}\n", table(lines));
    for (fault, why) in left_out {
        let _ = writeln!(text, "\n{fault} was left out: {why}.");
    }
    for outcome in
        lines.iter().flat_map(|line| &line.outcomes).filter(|outcome| !outcome.is_clean())
    {
        let _ = writeln!(text, "\n`{}`:\n", outcome.command());
        for violation in &outcome.violations {
            let _ = writeln!(text, "- {violation}");
        }
    }
    Ok(std::fs::write(folder.join("report.md"), text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::Seconds;
    use crate::setting::Setting;

    #[test]
    fn the_table_cuts_nothing_off() {
        let rude = FAULTS.iter().find(|fault| fault.id == "F21").unwrap();
        let all = rude.must.iter().chain(rude.sometimes);
        let outcome = Outcome {
            fault: rude.id.to_owned(),
            seed: 7,
            violations: Vec::new(),
            recovery_ms: vec![100],
            happened: all.map(|what| ((*what).to_owned(), 1_234)).collect(),
            seconds: 1.0,
            phases: Seconds::new(),
            kept: None,
            setting: Setting::default(),
        };
        let table = table(&lines(vec![outcome])).to_string();
        let whole = rude.must.iter().chain(rude.sometimes).map(|what| format!("1234 {what}"));
        let whole = whole.collect::<Vec<_>>().join(", ");
        assert!(whole.len() > 200 && table.contains(&whole), "{table}");
        assert_eq!(table.lines().count(), 3, "a line a fault: {table}");
    }
}
