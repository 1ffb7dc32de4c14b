//! What a check found, in words that a person can act on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// Findings of one rule that are kept; the others are counted. A broken log breaks a rule a hundred thousand times.
const KEPT_PER_RULE: u64 = 20;
/// Positions that a finding names at most.
const MOST_POSITIONS: usize = 10;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $promise:literal;)+) => {
        /// A rule of the platform.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $promise] $name),+
        }

        impl Rule {
            /// Every rule, in the order in which reports name them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its short name.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// What it promises, in one sentence.
            pub fn promise(self) -> &'static str {
                match self { $(Self::$name => $promise),+ }
            }
        }
    };
}

rules! {
    Acknowledged = "I1", "What a client was acknowledged is in the log.";
    Once = "I2", "A command is applied once: its events are one append, and its answer is remembered.";
    Refused = "I3", "A command that was refused left nothing behind.";
    Versions = "I4", "The versions of a stream are 1..n, and a stream holds events of its own aggregate only.";
    Positions = "I5", "Positions are 1..n without a hole; what was seen at one stays there, and no event stands at two.";
    Stock = "I6", "Stock is conserved per SKU and never oversold, at every append.";
    Charges = "I7", "Nothing is charged twice or beyond what was authorized; the provider's ledger and the open intents agree.";
    Balance = "I8", "Money balances: totals, captures, refunds, what was settled by hand and what is due, in one currency per order.";
    Returns = "law 2", "A return is paid back what its lines cost, after it was received, stocked or not.";
    SagaEnds = "I9", "Every saga has ended, or waits for something that has a name.";
    Compensation = "I10", "An order that was undone left no stock and no money behind.";
    ReadModels = "I11", "A read model is the fold of the log, as far as it says.";
    Outbox = "I12", "An outbox holds only commands that have not ended; who follows the log stands where they say.";
    Deliveries = "I13", "Whoever reads the log is given every event once, in its order.";
    SameAnswer = "I14", "The same key with the same request has the same answer; with another it is refused.";
    Lines = "law 1", "Ordered is open plus cancelled plus shipped; shipped ≥ delivered ≥ returned.";
    Reservations = "law 4", "A reserved unit is shipped or released, once.";
    States = "law 7", "An order goes through its states in order; what has ended stays ended.";
    Readable = "P12", "Every event of the log can be read.";
    Erasable = "P13", "The master key opens the key of everyone with personal data; who was erased has none.";
}

impl Rule {
    /// Whether it speaks of what clients and readers wrote down, so that a log alone can't break it.
    pub fn needs_journal(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Refused | Self::Deliveries | Self::SameAnswer)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// Something that should not be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong, with the values.
    pub statement: String,
    /// The events that show it, by their positions; empty when it is no matter of the log.
    pub positions: Vec<u64>,
    /// The command that shows them.
    pub look: String,
}

impl Finding {
    /// A finding that events show.
    pub fn at(rule: Rule, mut positions: Vec<u64>, statement: String) -> Self {
        positions.retain(|position| *position > 0);
        positions.dedup();
        positions.truncate(MOST_POSITIONS);
        let look = match positions.first() {
            Some(first) => format!("docket events --after {} --limit 3", first.saturating_sub(2)),
            None => "docket events --limit 3".to_owned(),
        };
        Self { rule, statement, positions, look }
    }

    /// A finding that another command shows.
    pub fn elsewhere(rule: Rule, statement: String, look: String) -> Self {
        Self { rule, statement, positions: Vec::new(), look }
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Appends: runs of events of one command.
    pub appends: u64,
    /// Streams.
    pub streams: u64,
    /// Orders.
    pub orders: u64,
    /// Payments.
    pub payments: u64,
    /// SKUs with stock.
    pub skus: u64,
    /// Rows of the provider's ledger.
    pub ledger_rows: u64,
    /// Commands that a journal has acknowledged.
    pub acknowledged: u64,
    /// Commands of a journal of which nobody was told what became of them.
    pub unanswered: u64,
}

/// What the checker has to say about a whole log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is wrong; at most 20 of each rule.
    pub findings: Vec<Finding>,
    /// How often each broken rule is broken.
    pub found: BTreeMap<Rule, u64>,
    /// How much was looked at.
    pub counts: Counts,
}

impl Report {
    /// True when no rule is broken.
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: Finding) {
        let found = self.found.entry(finding.rule).or_default();
        *found += 1;
        if *found <= KEPT_PER_RULE {
            self.findings.push(finding);
        }
    }

    /// Adds all that another report has found, also what it did not keep.
    pub(crate) fn take_over(&mut self, other: Self) {
        for (rule, found) in other.found {
            let here = self.found.entry(rule).or_default();
            let room = KEPT_PER_RULE.saturating_sub(*here);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            *here += found;
            let kept = other.findings.iter().filter(|finding| finding.rule == rule);
            self.findings.extend(kept.take(room).cloned());
        }
    }

    /// Adds a finding that events show.
    pub(crate) fn at(&mut self, rule: Rule, positions: &[u64], statement: String) {
        self.add(Finding::at(rule, positions.to_vec(), statement));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_findings_of_a_rule_are_counted_and_twenty_are_kept() {
        let mut report = Report::default();
        for position in 1..=1_000 {
            report.at(Rule::Stock, &[position], "less than none".to_owned());
        }
        assert_eq!(report.findings.len(), 20);
        assert_eq!(report.found[&Rule::Stock], 1_000);
    }

    #[test]
    fn what_another_report_did_not_keep_is_counted_all_the_same() {
        let of = |rule, count| {
            let mut report = Report::default();
            (0..count).for_each(|n| report.at(rule, &[n], "off".to_owned()));
            report
        };
        let mut report = of(Rule::Stock, 15);
        report.take_over(of(Rule::Stock, 30));
        report.take_over(of(Rule::Once, 3));
        assert_eq!((report.found[&Rule::Stock], report.found[&Rule::Once]), (45, 3));
        assert_eq!(report.findings.len(), 23);
    }

    #[test]
    fn a_finding_says_which_command_shows_its_events() {
        let finding = Finding::at(Rule::Stock, vec![813], String::new());
        assert_eq!(finding.look, "docket events --after 811 --limit 3");
    }
}
