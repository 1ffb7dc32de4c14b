//! Appends that their writer gave up, and that arrive right before the next one that is decided on what they change. It is the worst
//! moment: after the states were read, before what was decided on them is judged.
//!
//! **Invariant:** an append meets another, never itself when it is sent again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use event_store::{AppendTransaction, StreamId};

/// Those of one process.
#[derive(Default)]
pub(crate) struct Late {
    batches: Mutex<Vec<Vec<AppendTransaction>>>,
    /// How often what was given up was shut out.
    shut_out: AtomicU64,
}

impl Late {
    /// One more that is on its way.
    pub(super) fn keep(&self, batch: Vec<AppendTransaction>) {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }

    /// Under which token something is sent, so to say: what was sent under an older one is refused.
    pub(super) fn token(&self) -> u64 {
        self.shut_out.load(Ordering::Relaxed)
    }

    /// None of them arrives any more; whether there were any.
    pub(super) fn shut_out(&self) -> bool {
        self.shut_out.fetch_add(1, Ordering::Relaxed);
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        !std::mem::take(&mut *batches).is_empty()
    }

    /// Those that arrive right before this one; none once all is calm.
    pub(super) fn arriving(
        &self,
        next: &[AppendTransaction],
        is_calm: bool,
    ) -> Vec<Vec<AppendTransaction>> {
        if is_calm {
            return Vec::new();
        }
        let written = streams(next);
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let arrives = |late: &mut Vec<AppendTransaction>| {
            !is_same(late, next) && !streams(late).is_disjoint(&written)
        };
        batches.extract_if(.., arrives).collect()
    }
}

fn streams(batch: &[AppendTransaction]) -> HashSet<&StreamId> {
    batch.iter().flat_map(|one| &one.events).map(|event| &event.stream).collect()
}

fn is_same(one: &[AppendTransaction], other: &[AppendTransaction]) -> bool {
    one.iter().map(|one| &one.command_id).eq(other.iter().map(|other| &other.command_id))
}
