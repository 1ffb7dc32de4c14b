//! The report of a verification, for people and for machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use invariants::{Finding, Report, Rule};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::followers::Standing;
use super::place::Place;
use super::read_models::Checked;
use crate::numbers::{counted, grouped};

/// Which log was read, and how far.
#[derive(Debug, Serialize)]
pub(super) struct LogSummary {
    pub(super) id: String,
    pub(super) epoch: u32,
    pub(super) head: u64,
}

/// How much of a rule could not be checked, for what was not there to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// All of it.
    Whole,
    /// Some of it.
    Part,
}

/// What a verification came to.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) place: Place,
    pub(super) log: LogSummary,
    pub(super) sagas: u64,
    /// How far whoever follows the log had come.
    pub(super) followers: Vec<Standing>,
    pub(super) read_models: Vec<Checked>,
    pub(super) report: Report,
    /// Whether there was a journal to be compared.
    pub(super) with_journal: bool,
    /// The rules that a line of a journal spoke of.
    pub(super) spoken_of: BTreeSet<Rule>,
    /// What could not be checked.
    pub(super) gaps: BTreeMap<Rule, Gap>,
    /// What was named and holds nothing to be checked.
    pub(super) missing: Vec<String>,
    /// What is no fault and should be known.
    pub(super) notes: Vec<String>,
    pub(super) seconds: f64,
}

impl Serialize for Verified {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rules: Vec<_> = Rule::ALL
            .iter()
            .map(|rule| {
                json!({"rule": rule, "promise": rule.promise(), "found": self.found(*rule),
                    "checked": self.gap(*rule).is_none()})
            })
            .collect();
        let kept = match &self.place {
            Place::Folder(_) => "data_dir",
            Place::Databases(_) => "databases",
        };
        json!({
            "clean": self.nothing_found() && self.missing.is_empty(),
            kept: self.place,
            "log": self.log,
            "counts": self.report.counts,
            "sagas": self.sagas,
            "followers": self.followers,
            "read_models": self.read_models,
            "rules": rules,
            "findings": self.report.findings,
            "missing": self.missing,
            "notes": self.notes,
            "seconds": self.seconds,
        })
        .serialize(serializer)
    }
}

impl Verified {
    pub(super) fn nothing_found(&self) -> bool {
        self.report.is_clean()
    }

    fn found(&self, rule: Rule) -> u64 {
        self.report.found.get(&rule).copied().unwrap_or_default()
    }

    /// What of it was not checked. What speaks of journals is checked as far as a journal says something of it.
    fn gap(&self, rule: Rule) -> Option<Gap> {
        let unspoken = rule.needs_journal() && !self.spoken_of.contains(&rule);
        let known = self.gaps.get(&rule).copied();
        match (unspoken, rule) {
            // The answers that the log remembers were looked at.
            (true, Rule::SameAnswer) => Some(Gap::Part),
            (true, _) => Some(Gap::Whole),
            (false, _) => known,
        }
    }

    pub(super) fn as_text(&self) -> String {
        let mut text = self.looked_at();
        for rule in Rule::ALL {
            let found = match (self.found(*rule), self.gap(*rule)) {
                (0, Some(Gap::Whole)) => "–".to_owned(),
                (0, Some(Gap::Part)) => "in part".to_owned(),
                (0, None) => "ok".to_owned(),
                (found, _) => format!("{} ✗", grouped(found)),
            };
            line(&mut text, &format!("  {:<6} {found:<8} {}", rule.id(), rule.promise()));
        }
        for finding in &self.report.findings {
            text.push('\n');
            self.finding(&mut text, finding);
        }
        let total: u64 = self.report.found.values().sum();
        let kept = self.report.findings.len() as u64;
        text.push('\n');
        if total > kept {
            let are = if total - kept == 1 { "is" } else { "are" };
            let more = counted(total - kept, "more finding");
            line(&mut text, &format!("{more} {are} not shown."));
        }
        let unspoken = self.unspoken();
        if !unspoken.is_empty() {
            let why = if self.with_journal {
                "no line of the journal speaks of it"
            } else {
                "only with --journal, what clients and readers wrote down"
            };
            line(&mut text, &format!("– {}: {why}.", unspoken.join(", ")));
        }
        for missing in &self.missing {
            line(&mut text, &format!("Not checked: {missing}"));
        }
        for note in &self.notes {
            line(&mut text, &format!("Note: {note}"));
        }
        line(&mut text, &format!("{}. ({:.1} s)", self.verdict(total), self.seconds));
        text
    }

    /// The rules that no line of a journal speaks of.
    fn unspoken(&self) -> Vec<&'static str> {
        let unspoken = Rule::ALL.iter().filter(|rule| {
            rule.needs_journal() && !self.spoken_of.contains(rule) && self.found(**rule) == 0
        });
        unspoken.map(|rule| rule.id()).collect()
    }

    fn verdict(&self, found: u64) -> String {
        if found > 0 {
            counted(found, "finding")
        } else if !self.missing.is_empty() {
            "Nothing was found, but not all that was named could be checked".to_owned()
        } else if !self.gaps.is_empty() || (self.with_journal && !self.unspoken().is_empty()) {
            "Clean: all that was there to be checked is as it must be".to_owned()
        } else {
            "Clean: everything is as it must be".to_owned()
        }
    }

    fn looked_at(&self) -> String {
        let counts = &self.report.counts;
        let mut text = String::new();
        let (place, LogSummary { id, epoch, head }) = (&self.place, &self.log);
        line(
            &mut text,
            &format!(
                "Checked {place}: log {id} (epoch {epoch}) up to position {}.",
                grouped(*head)
            ),
        );
        let looked_at: Vec<String> = [
            (counts.events, "events"),
            (counts.appends, "appends"),
            (counts.streams, "streams"),
            (counts.orders, "orders"),
            (counts.payments, "payments"),
            (counts.skus, "SKUs"),
            (counts.ledger_rows, "ledger rows"),
            (self.sagas, "sagas"),
        ]
        .iter()
        .map(|(count, what)| format!("{} {what}", grouped(*count)))
        .collect();
        line(&mut text, &format!("  {}", looked_at.join(" · ")));
        if self.with_journal {
            let acknowledged = grouped(counts.acknowledged);
            let unanswered = grouped(counts.unanswered);
            let journal =
                format!("journal: {acknowledged} commands acknowledged, {unanswered} unanswered");
            line(&mut text, &format!("  {journal}"));
        }
        for model in &self.read_models {
            line(&mut text, &format!("  read model {}", model.as_text()));
        }
        for follower in &self.followers {
            line(&mut text, &format!("  {}", follower.as_text()));
        }
        text.push('\n');
        text
    }

    fn finding(&self, text: &mut String, finding: &Finding) {
        let Finding { rule, statement, positions, look } = finding;
        line(text, &format!("{rule}: {statement}"));
        if !positions.is_empty() {
            let positions: Vec<String> = positions.iter().map(ToString::to_string).collect();
            line(text, &format!("    positions {}", positions.join(", ")));
        }
        let look =
            if look.starts_with("docket ") { self.place.words_for(look) } else { look.clone() };
        line(text, &format!("    look: {look}"));
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a text can't fail.
    let _ = writeln!(text, "{line}");
}
