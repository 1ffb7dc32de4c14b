//! The newest events of a log, in memory: whoever follows its head need not ask the database for what was appended a
//! moment ago.
//!
//! **Invariant:** committed, contiguous, bounded in events and bytes, and a copy: whatever is not here is read from the
//! database.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::types::{Position, RecordedEvent};

/// The most events kept.
const MOST_EVENTS: usize = 8_192;
/// The most bytes of payload kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[derive(Default)]
pub(crate) struct Recent {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<RecordedEvent>,
    bytes: usize,
}

impl Recent {
    /// At most `limit` events after a position, if they are here.
    pub(crate) fn page(&self, after: Position, limit: usize) -> Option<Vec<RecordedEvent>> {
        let kept = self.kept();
        let first = kept.events.front()?.position;
        let skip = usize::try_from(after.checked_add(1)?.checked_sub(first)?).ok()?;
        let page: Vec<_> = kept.events.iter().skip(skip).take(limit).cloned().collect();
        (!page.is_empty()).then_some(page)
    }

    /// Keeps what was just committed, in position order.
    pub(crate) fn remember(&self, appended: impl IntoIterator<Item = RecordedEvent>) {
        let mut kept = self.kept();
        for event in appended {
            let last = kept.events.back().map_or(0, |event| event.position);
            if event.position <= last {
                continue;
            }
            // After a hole, as an append of unknown outcome leaves it, it begins anew.
            if event.position > last + 1 {
                kept.events.clear();
                kept.bytes = 0;
            }
            kept.bytes += event.payload.len();
            kept.events.push_back(event);
        }
        while kept.events.len() > MOST_EVENTS || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes -= oldest.payload.len();
        }
    }

    /// Keeps what was just committed after this head. A head below what is kept tells of another history, or of an append
    /// that was overtaken by the next: then nothing is kept.
    pub(crate) fn remember_after(
        &self,
        head: Position,
        appended: impl IntoIterator<Item = RecordedEvent>,
    ) {
        if self.kept().events.back().is_some_and(|last| last.position > head) {
            return self.forget();
        }
        self.remember(appended);
    }

    /// Keeps nothing any more.
    pub(crate) fn forget(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Cloning an event may fail for want of memory only, and that ends the process.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Metadata;
    use chrono::DateTime;
    use uuid::Uuid;

    fn events(positions: impl Iterator<Item = Position>, bytes: usize) -> Vec<RecordedEvent> {
        positions.map(|position| event(position, bytes)).collect()
    }

    fn event(position: Position, bytes: usize) -> RecordedEvent {
        RecordedEvent {
            position,
            stream: "s-1".into(),
            version: position,
            id: Uuid::nil(),
            event_type: "Happened".into(),
            schema_version: 1,
            payload: "x".repeat(bytes),
            metadata: std::sync::Arc::new(Metadata {
                command_id: "c".into(),
                actor: "a".into(),
                correlation_id: "c".into(),
                causation_id: None,
                traceparent: None,
                occurred_at: DateTime::UNIX_EPOCH,
            }),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    fn positions(page: Option<Vec<RecordedEvent>>) -> Option<Vec<Position>> {
        page.map(|page| page.iter().map(|event| event.position).collect())
    }

    #[test]
    fn what_was_appended_is_read() {
        let recent = Recent::default();
        assert_eq!(recent.page(0, 10), None);
        recent.remember(events(5..=9, 1));
        recent.remember(events(8..=11, 1));
        assert_eq!(positions(recent.page(4, 3)), Some(vec![5, 6, 7]));
        assert_eq!(positions(recent.page(9, 10)), Some(vec![10, 11]));
        assert_eq!(recent.page(3, 10), None, "older events are in the database only");
        assert_eq!(recent.page(11, 10), None, "newer events are not there yet");
    }

    #[test]
    fn a_gap_begins_it_anew_and_old_events_leave_it_alone() {
        let recent = Recent::default();
        recent.remember(events(5..=9, 1));
        recent.remember(events(20..=22, 1));
        assert_eq!(recent.page(4, 10), None);
        recent.remember(events(1..=4, 1));
        assert_eq!(positions(recent.page(19, 10)), Some(vec![20, 21, 22]));
    }

    #[test]
    fn a_head_below_what_is_kept_empties_it() {
        let recent = Recent::default();
        recent.remember_after(4, events(5..=9, 1));
        recent.remember_after(9, events(10..=11, 1));
        assert_eq!(positions(recent.page(8, 10)), Some(vec![9, 10, 11]));
        recent.remember_after(7, events(8..=12, 1));
        assert_eq!(recent.page(7, 10), None, "the database knows which of them it has");
        recent.remember_after(12, events(13..=13, 1));
        assert_eq!(positions(recent.page(12, 10)), Some(vec![13]));
    }

    #[test]
    fn it_is_bounded_in_events_and_bytes() {
        let recent = Recent::default();
        recent.remember(events(1..=10_000, 1));
        assert_eq!(recent.page(0, 1), None);
        assert_eq!(recent.kept().events.len(), MOST_EVENTS);
        recent.remember(events(10_001..=10_100, 512 * 1024));
        assert!(recent.kept().bytes <= MOST_BYTES);
        assert!(recent.page(10_099, 1).is_some());
    }
}
