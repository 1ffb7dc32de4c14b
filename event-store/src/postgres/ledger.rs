//! What the writer knows of the log as of its own last append. Nobody else writes as long as its token is the newest, so
//! when the server finds that head under that token, all of it still holds, and no stream needs to be looked at.
//!
//! **Invariant:** it speaks of one token and one head only; whatever goes otherwise than expected empties it. It is bounded.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::types::{Position, StreamId, Version};

/// The most streams kept.
const MOST_STREAMS: usize = 65_536;

/// What is known, when no append is under way.
#[derive(Default)]
pub(super) struct Ledger {
    kept: Mutex<Kept>,
}

/// Versions of streams at a head.
#[derive(Default)]
pub(super) struct Kept {
    /// The writer's token, and the head that the versions are of.
    as_of: Option<(i64, Position)>,
    versions: HashMap<StreamId, Version>,
}

impl Ledger {
    /// Takes what is known out, as long as an append is under way: it is put back when it is known what became of that.
    /// So an append that fails leaves nothing.
    pub(super) fn take(&self, token: i64) -> Kept {
        let kept = mem::take(&mut *self.kept());
        if kept.as_of.is_some_and(|(of, _)| of == token) { kept } else { Kept::default() }
    }

    /// Puts back what is known after an append.
    pub(super) fn put(&self, kept: Kept) {
        *self.kept() = kept;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The head that the log must have for it.
    pub(super) fn head(&self) -> Option<Position> {
        self.as_of.map(|(_, head)| head)
    }

    /// The version of a stream, if it is known.
    pub(super) fn version(&self, stream: &StreamId) -> Option<Version> {
        self.versions.get(stream).copied()
    }

    /// The head after an append under this token, and the versions of the streams that it read or wrote.
    pub(super) fn learn(&mut self, token: i64, head: Position, streams: Vec<(StreamId, Version)>) {
        self.as_of = Some((token, head));
        if self.versions.len() >= MOST_STREAMS {
            self.versions.clear();
        }
        self.versions.extend(streams);
    }
}
