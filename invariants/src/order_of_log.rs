//! I2, I4, I5: the order of the log itself, whatever its events say.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use event_store::RecordedEvent;
use uuid::Uuid;

use crate::finding::{Report, Rule};

/// Positions, versions and command ids seen so far.
#[derive(Debug, Default)]
pub(crate) struct OrderOfLog {
    last_position: u64,
    has_gaps: bool,
    versions: HashMap<Arc<str>, u64>,
    command: Option<Arc<str>>,
    /// Every command id that was seen, as a hash of 128 bits, with the position at which its append began.
    commands: HashMap<u128, u64>,
    /// Every event's id, with the position at which it stood last.
    ids: HashMap<Uuid, u64>,
}

impl OrderOfLog {
    /// Looks at an event; true when it begins an append.
    pub(crate) fn observe(&mut self, event: &RecordedEvent, report: &mut Report) -> bool {
        self.position(event.position, report);
        self.id(event, report);
        self.version(event, report);
        self.command(event, report)
    }

    /// Streams seen.
    pub(crate) fn streams(&self) -> usize {
        self.versions.len()
    }

    /// Where the append of a command began.
    pub(crate) fn position_of(&self, command_id: &str) -> Option<u64> {
        self.commands.get(&fingerprint(command_id)).copied()
    }

    /// Appends seen.
    pub(crate) fn appends(&self) -> usize {
        self.commands.len()
    }

    /// Passes over a position whose event can't be read.
    pub(crate) fn pass_over(&mut self, position: u64, report: &mut Report) {
        self.has_gaps = true;
        self.position(position, report);
    }

    /// Whether every position so far had an event that could be read.
    pub(crate) fn is_whole(&self) -> bool {
        !self.has_gaps
    }

    fn position(&mut self, found: u64, report: &mut Report) {
        let expected = self.last_position + 1;
        if found != expected {
            self.has_gaps = true;
            report.at(
                Rule::Positions,
                &[self.last_position, found],
                format!("After position {} comes {found}, not {expected}.", self.last_position),
            );
        }
        self.last_position = found;
    }

    fn id(&mut self, event: &RecordedEvent, report: &mut Report) {
        if let Some(before) = self.ids.insert(event.id, event.position) {
            let statement =
                format!("Event {} stands at positions {before} and {}.", event.id, event.position);
            report.at(Rule::Positions, &[before, event.position], statement);
        }
    }

    fn version(&mut self, event: &RecordedEvent, report: &mut Report) {
        let last = match self.versions.get_mut(&event.stream) {
            Some(last) => last,
            None => self.versions.entry(Arc::clone(&event.stream)).or_insert(0),
        };
        if event.version != *last + 1 {
            report.at(
                Rule::Versions,
                &[event.position],
                format!(
                    "In stream `{}` version {} follows version {last} (0: none before it).",
                    event.stream, event.version,
                ),
            );
        }
        *last = event.version;
    }

    fn command(&mut self, event: &RecordedEvent, report: &mut Report) -> bool {
        let id = &event.metadata.command_id;
        if self.command.as_ref() == Some(id) {
            return false;
        }
        self.command = Some(Arc::clone(id));
        if let Some(first) = self.commands.insert(fingerprint(id), event.position) {
            report.at(
                Rule::Once,
                &[event.position, first],
                format!(
                    "Command `{id}` was applied twice: at position {first} and again at {}.",
                    event.position,
                ),
            );
        }
        true
    }
}

/// Two ids of millions are never taken for one, and a hash is a fraction of the text.
fn fingerprint(id: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        id.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
