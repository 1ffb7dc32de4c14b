//! What the transactions of a batch rest on: the contract of the log, written apart from the judge that keeps it, so that a mistake
//! there is seen here.

use std::collections::HashSet;
use std::sync::Arc;

use event_store::{AppendTransaction, StreamId, Verdict};

/// A batch as it was sent.
pub(super) struct Batch(Vec<Sent>);

struct Sent {
    command: Arc<str>,
    reads: Vec<StreamId>,
    /// A stream as often as it has events for it.
    writes: Vec<StreamId>,
}

impl Batch {
    pub(super) fn of(batch: &[AppendTransaction]) -> Self {
        let sent = batch.iter().map(|one| Sent {
            command: Arc::clone(&one.command_id),
            reads: one.reads.iter().map(|(stream, _)| Arc::clone(stream)).collect(),
            writes: one.events.iter().map(|event| Arc::clone(&event.stream)).collect(),
        });
        Self(sent.collect())
    }

    /// The command of a transaction that was committed though one that it was decided on was not.
    pub(super) fn built_on_nothing(&self, verdicts: &[Verdict]) -> Option<&str> {
        let (place, _) = self
            .built_on_what_was_not_written(verdicts)
            .find(|(_, verdict)| matches!(verdict, Verdict::Committed { .. }))?;
        Some(&self.0.get(place)?.command)
    }

    /// The places of those that saw a stream which one before them would have written and did not, with their verdicts.
    fn built_on_what_was_not_written<'a>(
        &'a self,
        verdicts: &'a [Verdict],
    ) -> impl Iterator<Item = (usize, &'a Verdict)> {
        let mut unwritten: HashSet<&StreamId> = HashSet::new();
        self.0.iter().zip(verdicts).enumerate().filter_map(move |(place, (sent, verdict))| {
            let seen = sent.reads.iter().chain(&sent.writes);
            let is_built = seen.into_iter().any(|stream| unwritten.contains(stream));
            if !matches!(verdict, Verdict::Committed { .. }) {
                unwritten.extend(&sent.writes);
            }
            is_built.then_some((place, verdict))
        })
    }
}
