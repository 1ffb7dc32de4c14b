//! Events as projectors get them: decoded once, for all of them.
//!
//! **Invariant:** a page is contiguous: it says from where to where it reaches, so that a projector that nothing of it
//! concerns still knows what it has seen.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::event::{DecodeError, Event};
use event_store::{Position, RecordedEvent, StreamId, Version};
use service_kit::trace;
use uuid::Uuid;

/// An event of the log that at least one projector reads.
#[derive(Debug)]
pub struct Decoded {
    /// Its place in the log.
    pub position: Position,
    /// Its place in its stream.
    pub version: Version,
    /// Its business time.
    pub occurred_at: DateTime<Utc>,
    /// When it was appended.
    pub recorded_at: DateTime<Utc>,
    /// What happened, or why it can't be read.
    pub event: Result<Event, Unread>,
    /// One bit for each projector that reads its type.
    pub readers: u32,
    /// W3C trace context of what caused it, while it is followed and traces are sent.
    pub traceparent: Option<Arc<str>>,
}

/// An event that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unread {
    /// Why.
    error: DecodeError,
    /// The stream that it stands in.
    pub stream: StreamId,
}

/// A contiguous piece of the log.
#[derive(Debug, Clone)]
pub struct Page {
    /// The first position.
    pub first: Position,
    /// The id of every event, read or not.
    pub ids: Vec<Uuid>,
    /// The events that someone reads.
    pub events: Vec<Arc<Decoded>>,
}

impl Page {
    /// The last position.
    pub fn last(&self) -> Position {
        (self.first + self.ids.len() as u64).saturating_sub(1)
    }

    /// Appends the piece that follows without a gap.
    pub fn extend(&mut self, next: Option<Self>) {
        if let Some(next) = next {
            self.ids.extend(next.ids);
            self.events.extend(next.events);
        }
    }

    /// The id of the event at this position.
    pub fn id_at(&self, position: Position) -> Option<Uuid> {
        let at = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.ids.get(at).copied()
    }
}

/// Who reads which event types: a bit a projector.
#[derive(Debug, Clone, Default)]
pub struct Readers(Arc<HashMap<&'static str, u32>>);

impl Readers {
    /// From the event types of each projector, in order of their bits.
    pub fn new(types: impl IntoIterator<Item = Vec<&'static str>>) -> Self {
        let mut map = HashMap::new();
        for (bit, types) in types.into_iter().enumerate() {
            for name in types {
                *map.entry(name).or_default() |= 1 << bit;
            }
        }
        Self(Arc::new(map))
    }

    /// Decodes what somebody reads as it happens: its traces go on.
    pub fn decode_live(&self, events: &[RecordedEvent]) -> Option<Page> {
        let mut page = self.decode(events)?;
        if trace::is_on() {
            // Nobody else has them yet.
            for decoded in page.events.iter_mut().filter_map(Arc::get_mut) {
                let at = decoded.position - page.first;
                let event = usize::try_from(at).ok().and_then(|at| events.get(at));
                decoded.traceparent = event.and_then(|event| event.metadata.traceparent.clone());
            }
        }
        Some(page)
    }

    /// Decodes what somebody reads; `None` for no events.
    pub fn decode(&self, events: &[RecordedEvent]) -> Option<Page> {
        Some(Page {
            first: events.first()?.position,
            ids: events.iter().map(|event| event.id).collect(),
            events: events
                .iter()
                .filter_map(|event| self.decode_one(event))
                .map(Arc::new)
                .collect(),
        })
    }

    fn decode_one(&self, event: &RecordedEvent) -> Option<Decoded> {
        let readers = *self.0.get(&*event.event_type)?;
        Some(Decoded { readers, ..Decoded::from(event) })
    }
}

impl From<&RecordedEvent> for Decoded {
    fn from(event: &RecordedEvent) -> Self {
        Self {
            position: event.position,
            version: event.version,
            occurred_at: event.metadata.occurred_at,
            recorded_at: event.recorded_at,
            event: Event::from_json(&event.event_type, event.schema_version, &event.payload)
                .map_err(|error| Unread { error, stream: event.stream.clone() }),
            readers: u32::MAX,
            traceparent: None,
        }
    }
}
