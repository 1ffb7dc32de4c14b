//! The newest events that any subscription has read, for the others: many consumers follow the head of the same log, and
//! one read of it is enough.
//!
//! **Invariant:** contiguous, bounded in events and bytes, and a copy: whatever is not here is read from the log.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use event_store::{Position, RecordedEvent};

/// The most events kept.
const MOST_EVENTS: usize = 4_096;
/// The most bytes of payload kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Tail {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<RecordedEvent>,
    bytes: usize,
}

impl Tail {
    /// At most `limit` events after a position, if they are here.
    pub(super) fn page(&self, after: Position, limit: usize) -> Option<Vec<RecordedEvent>> {
        let kept = self.kept();
        let first = kept.events.front()?.position;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let page: Vec<_> = kept.events.iter().skip(skip).take(limit).cloned().collect();
        (!page.is_empty()).then_some(page)
    }

    /// Keeps what is newer than what is here.
    pub(super) fn remember(&self, page: &[RecordedEvent]) {
        let mut kept = self.kept();
        let last = kept.events.back().map_or(0, |event| event.position);
        let mut newer = page.iter().filter(|event| event.position > last).peekable();
        if newer.peek().is_some_and(|event| event.position > last + 1) {
            kept.events.clear();
            kept.bytes = 0;
        }
        for event in newer {
            // A page with a hole is the log's mistake: it is read again, so it must not stay here.
            if kept.events.back().is_some_and(|last| event.position != last.position + 1) {
                break;
            }
            kept.bytes += event.payload.len();
            kept.events.push_back(event.clone());
        }
        while kept.events.len() > MOST_EVENTS || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes -= oldest.payload.len();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Cloning an event may fail for want of memory only, and that ends the process.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use event_store::Metadata;
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
    fn what_one_has_read_the_next_gets() {
        let tail = Tail::default();
        assert_eq!(tail.page(0, 10), None);
        tail.remember(&events(5..=9, 1));
        tail.remember(&events(8..=11, 1));
        assert_eq!(positions(tail.page(4, 3)), Some(vec![5, 6, 7]));
        assert_eq!(positions(tail.page(9, 10)), Some(vec![10, 11]));
        assert_eq!(tail.page(3, 10), None, "older events are read from the log");
        assert_eq!(tail.page(11, 10), None, "newer events are read from the log");
    }

    #[test]
    fn a_gap_begins_it_anew_and_old_pages_leave_it_alone() {
        let tail = Tail::default();
        tail.remember(&events(5..=9, 1));
        tail.remember(&events(20..=22, 1));
        assert_eq!(tail.page(4, 10), None);
        tail.remember(&events(1..=4, 1));
        assert_eq!(positions(tail.page(19, 10)), Some(vec![20, 21, 22]));
    }

    #[test]
    fn a_page_with_a_hole_is_kept_up_to_the_hole() {
        let tail = Tail::default();
        tail.remember(&events([1, 2, 4, 5].into_iter(), 1));
        assert_eq!(positions(tail.page(0, 10)), Some(vec![1, 2]));
        tail.remember(&events(3..=5, 1));
        assert_eq!(positions(tail.page(0, 10)), Some(vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn it_is_bounded_in_events_and_bytes() {
        let tail = Tail::default();
        tail.remember(&events(1..=5_000, 1));
        assert_eq!(tail.page(0, 1), None);
        assert_eq!(tail.kept().events.len(), MOST_EVENTS);
        tail.remember(&events(5_001..=5_100, 512 * 1024));
        assert!(tail.kept().bytes <= MOST_BYTES);
        assert!(tail.page(5_099, 1).is_some());
    }
}
