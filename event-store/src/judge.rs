//! The verdict on each transaction of a batch: one pure function, the same for every backend that judges in memory.
//! It reads no table and writes none.
//!
//! **Invariant:** given what is known, positions go on without a hole after the head, and a transaction that saw what
//! an uncommitted one would have written is never accepted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::types::{
    AppendTransaction, KnownCommand, Position, StoredAnswer, StreamId, Verdict, Version,
};

/// What the backend knows, as of right before the batch. A stream that is missing has no events.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) commands: HashMap<Arc<str>, KnownCommand>,
    pub(crate) versions: HashMap<StreamId, Version>,
    pub(crate) head: Position,
}

/// A transaction that passed, and what it is to leave behind.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) transaction: &'a AppendTransaction,
    /// The position of the event before its first.
    pub(crate) after: Position,
    /// The version of each of its events.
    pub(crate) versions: Vec<Version>,
    /// The answer to remember.
    pub(crate) answer: Option<StoredAnswer>,
}

/// The outcome for a batch.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    /// One per transaction, in order.
    pub(crate) verdicts: Vec<Verdict>,
    /// Those that passed, in order.
    pub(crate) accepted: Vec<Accepted<'a>>,
    /// The head once they are written.
    pub(crate) head: Position,
}

/// Judges the transactions one after another; each sees what the accepted ones before it leave behind.
pub(crate) fn judge(batch: &[AppendTransaction], known: Known) -> Judgement<'_> {
    let mut judge =
        Judge { known, tainted: HashSet::new(), accepted: Vec::with_capacity(batch.len()) };
    let verdicts = batch.iter().map(|transaction| judge.verdict(transaction)).collect();
    Judgement { verdicts, accepted: judge.accepted, head: judge.known.head }
}

struct Judge<'a> {
    known: Known,
    /// Streams that an earlier transaction of the batch would have written and did not.
    tainted: HashSet<&'a StreamId>,
    accepted: Vec<Accepted<'a>>,
}

impl<'a> Judge<'a> {
    fn verdict(&mut self, transaction: &'a AppendTransaction) -> Verdict {
        match self.objection(transaction) {
            Some(objection) => {
                self.tainted.extend(transaction.events.iter().map(|event| &event.stream));
                objection
            }
            None => self.accept(transaction),
        }
    }

    fn objection(&self, transaction: &AppendTransaction) -> Option<Verdict> {
        if let Some(known) = self.known.commands.get(&transaction.command_id) {
            return Some(if known.request_hash == transaction.request_hash {
                Verdict::AlreadyApplied(known.answer.clone())
            } else {
                Verdict::KeyReused
            });
        }
        let read = transaction.reads.iter().map(|(stream, _)| stream);
        let written = transaction.events.iter().map(|event| &event.stream);
        let tainted = read.chain(written).find(|stream| self.tainted.contains(stream));
        let stale = || {
            let reads = &mut transaction.reads.iter();
            reads.find(|(stream, seen)| self.version(stream) != *seen).map(|(stream, _)| stream)
        };
        let stream = tainted.or_else(stale)?;
        Some(Verdict::Conflict { stream: Arc::clone(stream) })
    }

    fn accept(&mut self, transaction: &'a AppendTransaction) -> Verdict {
        let after = self.known.head;
        let versions = transaction.events.iter().map(|event| self.advance(&event.stream)).collect();
        let position = self.known.head;
        let answer = transaction.answer.as_ref().map(|answer| StoredAnswer {
            status: answer.status,
            body: answer.body.clone(),
            version: self.version(&answer.target),
            position,
        });
        let version = answer.as_ref().map_or(0, |answer| answer.version);
        if let Some(answer) = &answer {
            let known =
                KnownCommand { request_hash: transaction.request_hash, answer: answer.clone() };
            self.known.commands.insert(Arc::clone(&transaction.command_id), known);
        }
        self.accepted.push(Accepted { transaction, after, versions, answer });
        Verdict::Committed { position, version }
    }

    fn advance(&mut self, stream: &StreamId) -> Version {
        self.known.head += 1;
        if let Some(version) = self.known.versions.get_mut(stream) {
            *version += 1;
            return *version;
        }
        self.known.versions.insert(Arc::clone(stream), 1);
        1
    }

    fn version(&self, stream: &StreamId) -> Version {
        self.known.versions.get(stream).copied().unwrap_or(0)
    }
}
