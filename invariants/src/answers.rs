//! I2 and I14: what is remembered of every command that had its effect, against its events and what clients were told.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_store::{RecordedEvent, StoredAnswer};
use serde_json::{Map, Value};

use crate::finding::{Report, Rule};
use crate::journal::is_clients;

/// The events of one command that stand behind one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The command.
    pub command_id: Arc<str>,
    /// Where its events begin.
    pub first: u64,
    /// Where they end.
    pub last: u64,
    /// How many there are.
    pub events: u64,
}

/// Takes the log apart into appends: give it every event.
#[derive(Debug, Default)]
pub struct Appends {
    current: Option<Append>,
}

impl Appends {
    /// Looks at the next event; returns the append before it, if it begins another.
    pub fn observe(&mut self, event: &RecordedEvent) -> Option<Append> {
        let (id, at) = (&event.metadata.command_id, event.position);
        match &mut self.current {
            Some(current) if current.command_id == *id => {
                (current.last, current.events) = (at, current.events + 1);
                None
            }
            current => current.replace(Append {
                command_id: Arc::clone(id),
                first: at,
                last: at,
                events: 1,
            }),
        }
    }

    /// The last one.
    pub fn finish(self) -> Option<Append> {
        self.current
    }
}

/// Whatever has events has an answer, which is of these events and could be given.
pub(crate) fn check(append: &Append, answer: Option<&StoredAnswer>, report: &mut Report) {
    let Append { command_id, first, last, events } = append;
    let Some(StoredAnswer { status, body, position, .. }) = answer else {
        let statement = format!(
            "Command `{command_id}` has events up to {last} and no answer is remembered: a repeat would be applied again.",
        );
        return report.at(Rule::Once, &[*first, *last], statement);
    };
    if position != last {
        let statement = format!(
            "Command `{command_id}` was answered with position {position}, but its {events} events end at {last}.",
        );
        report.at(Rule::Once, &[*first, *last], statement);
    }
    let object: Option<Map<String, Value>> = serde_json::from_str(body).ok();
    // The platform's own commands are answered with nothing; a client is told what there is now.
    let says_something = object.is_some_and(|told| !told.is_empty() || !is_clients(command_id));
    if !(200..300).contains(status) || !says_something {
        let statement = format!(
            "Command `{command_id}` had its effect, but a repeat would be answered {status} with `{body}`.",
        );
        report.at(Rule::SameAnswer, &[*first, *last], statement);
    }
}

/// How what a client was told differs from what is remembered; `None` where a repeat would be told the same.
pub(crate) fn differs(told: (u16, &Value), remembered: &StoredAnswer) -> Option<String> {
    let (status, told) = told;
    let StoredAnswer { status: again, body, version, position } = remembered;
    let mut members: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    members.insert("version".to_owned(), (*version).into());
    members.insert("position".to_owned(), (*position).into());
    let same = match told.as_object() {
        Some(told) if has_waited(told, &members) => {
            without_decision(told) == without_decision(&members)
        }
        Some(told) => *told == members,
        None => false,
    };
    (status != *again || !same).then(|| {
        let remembered = Value::Object(members);
        format!(
            "{status} with `{told}`, and a repeat would be answered {again} with `{remembered}`"
        )
    })
}

/// What a client hears that waited for what is decided later; the answer that is remembered knows nothing of it.
const OF_DECISION: [&str; 4] = ["status", "reason", "version", "position"];

/// Whether a client waited: then it was told why, though there may be no reason.
fn has_waited(told: &Map<String, Value>, remembered: &Map<String, Value>) -> bool {
    told.contains_key("status") && told.contains_key("reason") && !remembered.contains_key("reason")
}

fn without_decision(members: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    members.iter().filter(|(name, _)| !OF_DECISION.contains(&name.as_str())).collect()
}
