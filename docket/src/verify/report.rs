//! The report of a verification, for people and for machines.

use std::fmt::Write as _;

use invariants::{Finding, Report, Rule};
use serde::{Serialize, Serializer};
use serde_json::json;

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

/// What a verification came to.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) place: Place,
    pub(super) log: LogSummary,
    pub(super) sagas: u64,
    pub(super) read_models: Vec<Checked>,
    pub(super) report: Report,
    /// Whether there was a journal to be compared.
    pub(super) with_journal: bool,
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
                    "checked": self.was_checked(*rule)})
            })
            .collect();
        let kept = match &self.place {
            Place::Folder(_) => "data_dir",
            Place::Databases(_) => "databases",
        };
        json!({
            "clean": self.is_clean(),
            kept: self.place,
            "log": self.log,
            "counts": self.report.counts,
            "sagas": self.sagas,
            "read_models": self.read_models,
            "rules": rules,
            "findings": self.report.findings,
            "notes": self.notes,
            "seconds": self.seconds,
        })
        .serialize(serializer)
    }
}

impl Verified {
    pub(super) fn is_clean(&self) -> bool {
        self.report.is_clean()
    }

    fn found(&self, rule: Rule) -> u64 {
        self.report.found.get(&rule).copied().unwrap_or_default()
    }

    /// What speaks of journals is not checked without one.
    fn was_checked(&self, rule: Rule) -> bool {
        self.with_journal || !rule.needs_journal()
    }

    pub(super) fn as_text(&self) -> String {
        let mut text = self.looked_at();
        for rule in Rule::ALL {
            let found = match self.found(*rule) {
                0 if !self.was_checked(*rule) => "–".to_owned(),
                0 => "ok".to_owned(),
                found => format!("{} ✗", grouped(found)),
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
        if !self.with_journal {
            line(&mut text, "–: only with --journal, what clients and readers wrote down.");
        }
        for note in &self.notes {
            line(&mut text, &format!("Note: {note}"));
        }
        let seconds = self.seconds;
        if total == 0 {
            line(&mut text, &format!("Clean: everything is as it must be. ({seconds:.1} s)"));
        } else {
            line(&mut text, &format!("{}. ({seconds:.1} s)", counted(total, "finding")));
        }
        text
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
