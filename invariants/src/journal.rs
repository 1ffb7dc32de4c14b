//! I1, I3, I5, I13, I14: what clients and readers wrote down while something went wrong, against the log.
//!
//! A journal is JSON lines, each on disk before what it tells of goes on: a command before it is asked, an answer before
//! the client believes it. It may end in the middle of anything.
//!
//! **Invariant:** an attempt that nobody answered proves nothing: it may have had its effect or not.

mod lines;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use event_store::{RecordedEvent, StoredAnswer};
use serde_json::Value;
use uuid::Uuid;

use crate::answers;
use crate::finding::{Finding, Report, Rule};

pub(crate) use lines::is_clients;
pub use lines::{Answered, Asked, JournalLine, Misplaced, Seen};

/// What a key that comes again with another request is answered with.
const REUSED: (u16, &str) = (422, "idempotency_key_reused");

/// A command as its client knows it.
#[derive(Debug, Default)]
struct Told {
    /// The first request that was carried out: path and body.
    request: Option<(String, Value)>,
    /// Its answer.
    answer: Option<(u16, Value)>,
    /// True when a success needs no event.
    may_change_nothing: bool,
    /// A refusal, if there was one.
    refused: Option<u16>,
    /// Attempts of which nobody knows what became of them.
    unknown: u64,
    /// Where its events stand in the log: the first and the last.
    events: Option<(u64, u64)>,
}

/// Compares a journal with the log: give it every line, then every event, then ask for the findings.
#[derive(Debug, Default)]
pub struct Journal {
    open: HashMap<u64, Asked>,
    /// By their ids: a key is one of each caller's.
    commands: BTreeMap<String, Told>,
    seen: BTreeMap<u64, Vec<(Uuid, String)>>,
    readers: HashMap<String, u64>,
    head: u64,
    /// Answers to a key that had been answered with a success.
    repeats: u64,
    early: Report,
}

impl Journal {
    /// Takes the next line.
    pub fn take(&mut self, line: JournalLine) -> Result<(), Misplaced> {
        match line {
            JournalLine::Asked(asked) => {
                let told = self.commands.entry(asked.command_id()).or_default();
                told.may_change_nothing |= asked.may_change_nothing;
                // Nobody knows what becomes of it, until it is answered.
                told.unknown += 1;
                self.open.insert(asked.attempt, asked);
            }
            JournalLine::Answered(answered) => {
                let asked = self.told_of(answered.attempt)?;
                self.answered(asked, answered);
            }
            JournalLine::Lost { attempt, .. } => drop(self.told_of(attempt)?),
            JournalLine::Seen(seen) => self.seen(seen),
        }
        Ok(())
    }

    /// The attempt that a line tells the end of.
    fn told_of(&mut self, attempt: u64) -> Result<Asked, Misplaced> {
        self.open.remove(&attempt).ok_or(Misplaced { attempt })
    }

    /// The rules that the lines so far say something of: of a rule that no line speaks of, nothing can be found.
    pub fn speaks_of(&self) -> BTreeSet<Rule> {
        let mut rules = BTreeSet::new();
        if self.commands.values().any(|told| told.answer.is_some()) {
            rules.insert(Rule::Acknowledged);
        }
        if self.commands.values().any(|told| told.refused.is_some()) {
            rules.insert(Rule::Refused);
        }
        if !self.readers.is_empty() {
            rules.insert(Rule::Deliveries);
        }
        if self.repeats > 0 {
            rules.insert(Rule::SameAnswer);
        }
        rules
    }

    /// The commands that were acknowledged, by their ids.
    pub fn acknowledged(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter(|(_, told)| told.answer.is_some()).map(|(id, _)| id.as_str())
    }

    /// Compares what the log remembers as the answer of a command with what its client was told. Give it every event first.
    pub fn compare_answer(&mut self, command_id: &str, remembered: &StoredAnswer) {
        let Some(told) = self.commands.get(command_id) else { return };
        let Some((status, body)) = &told.answer else { return };
        let Some(wrong) = answers::differs((*status, body), remembered) else { return };
        let (first, last) = told.events.unwrap_or_default();
        let statement = format!("Command `{command_id}` was answered {wrong}.");
        self.early.at(Rule::SameAnswer, &[first, last], statement);
    }

    /// Looks at the next event of the log.
    pub fn observe(&mut self, event: &RecordedEvent) {
        self.head = self.head.max(event.position);
        if let Some(told) = self.commands.get_mut(&*event.metadata.command_id) {
            let first = told.events.map_or(event.position, |(first, _)| first);
            told.events = Some((first, event.position));
        }
        for (id, reader) in self.seen.remove(&event.position).unwrap_or_default() {
            if id != event.id {
                let statement = format!(
                    "`{reader}` was given event {id} at position {}, where the log holds {}.",
                    event.position, event.id
                );
                self.early.at(Rule::Positions, &[event.position], statement);
            }
        }
    }

    /// Ends the journal: says what does not agree.
    pub fn finish(mut self, report: &mut Report) {
        report.take_over(std::mem::take(&mut self.early));
        for (position, readers) in &self.seen {
            for (id, reader) in readers {
                let statement = format!(
                    "`{reader}` was given event {id} at position {position}, but the log ends at {}.",
                    self.head
                );
                report.at(Rule::Positions, &[self.head], statement);
            }
        }
        for (id, told) in &self.commands {
            acknowledged(id, told, self.head, report);
            refused(id, told, report);
        }
        let answered = self.commands.values().filter(|told| told.answer.is_some());
        let acknowledged = answered.count() as u64;
        let unanswered = self.commands.values().filter(|told| told.is_open()).count() as u64;
        report.counts.acknowledged += acknowledged;
        report.counts.unanswered += unanswered;
    }

    fn answered(&mut self, asked: Asked, answered: Answered) {
        let told = self.commands.entry(asked.command_id()).or_default();
        let Asked { key, path, body, .. } = asked;
        let Answered { status, replayed, body: answer, .. } = answered;
        match status {
            200..=299 => told.unknown -= 1,
            // The server could not tell, or was too busy to look.
            408 | 429 | 500.. => return,
            _ => {
                told.unknown -= 1;
                told.refused = Some(status);
            }
        }
        let request = (path, body);
        let code = answer["code"].as_str().unwrap_or_default();
        let Some(first) = &told.request else {
            if status < 300 {
                told.request = Some(request);
                told.answer = Some((status, answer));
            } else if (status, code) == REUSED && told.unknown == 0 {
                let statement = format!(
                    "The key `{key}` was called used, though nothing was carried out under it."
                );
                self.early.add(of_client(Rule::SameAnswer, statement));
            }
            return;
        };
        self.repeats += 1;
        let same = *first == request;
        let wrong = if !same {
            ((status, code) != REUSED).then(|| format!("another request was answered {status}"))
        } else if told.answer.as_ref() != Some(&(status, answer)) {
            Some(format!("a repeat was answered otherwise, {status}"))
        } else if !replayed {
            Some("a repeat was not said to be one".to_owned())
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let statement = format!("Under the key `{key}`, after a success, {wrong}.");
            self.early.add(of_client(Rule::SameAnswer, statement));
        }
    }

    fn seen(&mut self, Seen { reader, position, event }: Seen) {
        if let Some(last) = self.readers.insert(reader.clone(), position)
            && position != last + 1
        {
            let statement = format!("`{reader}` was given position {position} after {last}.");
            self.early.at(Rule::Deliveries, &[last, position], statement);
        }
        self.seen.entry(position).or_default().push((event, reader));
    }
}

impl Told {
    /// Nobody was told what became of it.
    fn is_open(&self) -> bool {
        self.answer.is_none() && self.refused.is_none()
    }
}

/// I1: what was acknowledged is in the log, where the answer says.
fn acknowledged(id: &str, told: &Told, head: u64, report: &mut Report) {
    let Some((status, answer)) = &told.answer else { return };
    let position = answer["position"].as_u64().unwrap_or_default();
    let (last, wrong) = match told.events {
        None if told.may_change_nothing => return,
        None => (position.min(head), "the log has no event of it".to_owned()),
        // One that waited for what follows says how far that was.
        Some((_, last)) if last <= position => return,
        Some((_, last)) => (last, format!("has an event at {last}")),
    };
    let statement = format!(
        "Command `{id}` was acknowledged with {status} at position {position}, and {wrong}."
    );
    report.add(Finding::at(Rule::Acknowledged, vec![last], statement));
}

/// I3: what was refused whenever it was asked left nothing behind.
fn refused(id: &str, told: &Told, report: &mut Report) {
    let (Some(status), Some((first, _)), None, 0) =
        (told.refused, told.events, &told.answer, told.unknown)
    else {
        return;
    };
    let statement =
        format!("Command `{id}` was refused with {status}, and the log has an event of it.");
    report.add(Finding::at(Rule::Refused, vec![first], statement));
}

fn of_client(rule: Rule, statement: String) -> Finding {
    Finding::elsewhere(rule, statement, "the client's journal".to_owned())
}
