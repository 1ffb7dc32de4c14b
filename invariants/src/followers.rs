//! I11 and I12: where whoever follows the log says that they stand, against the log.
//!
//! Beside every checkpoint stands the id of the event at it and the log's epoch: a number alone would fit any log.

use std::collections::BTreeMap;

use event_store::{LogIdentity, Mark, RecordedEvent};

use crate::finding::{Finding, Report, Rule};

/// Somebody who follows the log, as they were found *before* the log was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    /// Such as `the read model orders` or `the sagas`: what is said of it has to fit one and many.
    pub name: String,
    /// The rule that is broken when they do not stand where they say.
    pub rule: Rule,
    /// Where they say that they stand.
    pub mark: Mark,
    /// The command that shows or mends it.
    pub look: String,
}

/// Compares marks with the log: give it every event, then ask for the findings.
#[derive(Debug, Default)]
pub struct Followers {
    all: Vec<Follower>,
    /// By their positions.
    standing: BTreeMap<u64, Vec<usize>>,
    findings: Vec<Finding>,
}

impl Followers {
    /// These.
    pub fn new(all: Vec<Follower>) -> Self {
        let mut standing: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (index, follower) in all.iter().enumerate() {
            standing.entry(follower.mark.position).or_default().push(index);
        }
        Self { all, standing, findings: Vec::new() }
    }

    /// Looks at the next event.
    pub fn observe(&mut self, event: &RecordedEvent) {
        let Some(here) = self.standing.get(&event.position) else { return };
        for follower in here.iter().map(|index| &self.all[*index]) {
            let Some(id) = follower.mark.event_id.filter(|id| *id != event.id) else { continue };
            let statement = format!(
                "{} stood at position {} with event {id}, where the log holds {}.",
                follower.name, event.position, event.id,
            );
            self.findings.push(Finding::at(follower.rule, vec![event.position], statement));
        }
    }

    /// Ends the log: says what does not agree with it.
    pub fn finish(self, log: &LogIdentity, head: u64, report: &mut Report) {
        for finding in self.findings {
            report.add(finding);
        }
        for Follower { name, rule, mark, look } in self.all {
            if mark.position > head {
                let position = mark.position;
                let statement =
                    format!("{name} stood at position {position}, but the log ends at {head}.");
                report.add(Finding::elsewhere(rule, statement, look.clone()));
            }
            if mark.log.epoch > log.epoch {
                let (theirs, ours) = (mark.log.epoch, log.epoch);
                let statement =
                    format!("{name} stood in epoch {theirs} of the log, which is in epoch {ours}.");
                report.add(Finding::elsewhere(rule, statement, look));
            }
        }
    }
}
