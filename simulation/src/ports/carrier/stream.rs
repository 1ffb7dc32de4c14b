//! The stream of events as a server has it.

use std::collections::BTreeMap;

use bytes::Bytes;
use event_store::Position;

/// Messages by their sequence. Sequences only rise; messages may be missing anywhere.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// Told apart from others of the same name.
    pub(super) life: u64,
    /// What it was created with.
    created: (Position, u64),
    last: Position,
    messages: BTreeMap<Position, Bytes>,
}

impl Stream {
    pub(super) fn new(life: u64, first: Position, retained: u64) -> Self {
        let last = first.saturating_sub(1);
        Self { life, created: (first, retained), last, messages: BTreeMap::new() }
    }

    /// Whether it would be the same if it were created with this.
    pub(super) fn is_like(&self, first: Position, retained: u64) -> bool {
        self.created == (first, retained)
    }

    /// The last sequence, whether its message is there or not.
    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// The first sequence that has a message.
    pub(super) fn first(&self) -> Option<Position> {
        self.messages.keys().next().copied()
    }

    pub(super) fn get(&self, sequence: Position) -> Option<&Bytes> {
        self.messages.get(&sequence)
    }

    /// The first message from a sequence on.
    pub(super) fn from(&self, sequence: Position) -> Option<(Position, &Bytes)> {
        let found = self.messages.range(sequence..).next();
        found.map(|(sequence, envelope)| (*sequence, envelope))
    }

    /// Appends, whatever it is.
    pub(super) fn append(&mut self, envelope: Bytes) -> Position {
        self.last += 1;
        self.messages.insert(self.last, envelope);
        let (_, retained) = self.created;
        while self.messages.len() as u64 > retained {
            self.messages.pop_first();
        }
        self.last
    }

    /// Loses one message.
    pub(super) fn lose(&mut self, sequence: Position) -> bool {
        self.messages.remove(&sequence).is_some()
    }

    /// Loses all messages, and keeps counting.
    pub(super) fn purge(&mut self) {
        self.messages.clear();
    }

    /// Forgets the last so many, as if they had never been.
    pub(super) fn forget_last(&mut self, count: u64) {
        self.last = self.last.saturating_sub(count);
        let _forgotten = self.messages.split_off(&(self.last + 1));
    }
}
