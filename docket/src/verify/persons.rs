//! Whose personal data is in the log, and who was erased there.

use std::collections::{BTreeMap, BTreeSet};

use command_service::erased_person;
use event_store::{Position, RecordedEvent};
use serde_json::Value;

/// What stands in the payload of every event with personal data.
const SEALED: &str = "\"sealed\"";

/// People, with the position of an event that shows it.
#[derive(Debug, Default)]
pub(super) struct Persons {
    sealed: BTreeMap<String, Position>,
    erased: BTreeMap<String, Position>,
}

impl Persons {
    /// Looks at the next event.
    pub(super) fn observe(&mut self, event: &RecordedEvent) {
        if let Some(person) = erased_person(event) {
            self.erased.insert(person.to_owned(), event.position);
        }
        if event.payload.contains(SEALED)
            && let Ok(payload) = serde_json::from_str(&event.payload)
        {
            self.sealed_in(&payload, event.position);
        }
    }

    /// Everyone with personal data in the log, or erased there.
    pub(super) fn all(&self) -> BTreeSet<&str> {
        self.sealed.keys().chain(self.erased.keys()).map(String::as_str).collect()
    }

    /// Where somebody's data was sealed first.
    pub(super) fn sealed_at(&self, person: &str) -> Option<Position> {
        self.sealed.get(person).copied()
    }

    /// Where somebody was erased.
    pub(super) fn erased_at(&self, person: &str) -> Option<Position> {
        self.erased.get(person).copied()
    }

    fn sealed_in(&mut self, value: &Value, at: Position) {
        match value {
            Value::Object(fields) => {
                if let (Some(Value::String(person)), Some(Value::String(_))) =
                    (fields.get("person"), fields.get("sealed"))
                {
                    self.sealed.entry(person.clone()).or_insert(at);
                }
                fields.values().for_each(|value| self.sealed_in(value, at));
            }
            Value::Array(values) => values.iter().for_each(|value| self.sealed_in(value, at)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
