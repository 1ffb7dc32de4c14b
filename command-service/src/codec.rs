//! Between the domain's types and the log's: events to payloads and back, streams to their names.
//!
//! It decides nothing and drops nothing: what can't be read is an error, never skipped.

use std::sync::Arc;

use domain::decide::{Entry, State};
use domain::event::{DecodeError, Event};
use domain::stream::Stream;
use event_store::{NewEvent, Position, RecordedEvent, StreamId};

/// The name of a stream in the log.
pub(crate) fn stream_id(stream: &Stream) -> StreamId {
    stream.to_string().into()
}

/// The event as the log takes it.
pub(crate) fn encode(event: &Event) -> serde_json::Result<NewEvent> {
    Ok(NewEvent {
        stream: stream_id(&event.stream()),
        event_type: Arc::from(event.event_type()),
        schema_version: event.schema_version(),
        payload: event.to_json()?,
    })
}

/// The event that the log recorded.
pub(crate) fn decode(recorded: &RecordedEvent) -> Result<Event, DecodeError> {
    Event::from_json(&recorded.event_type, recorded.schema_version, &recorded.payload)
}

/// An event of the log that this build can't read.
#[derive(Debug, thiserror::Error)]
#[error("the event at position {position} can't be read: {cause}")]
pub(crate) struct UnreadableEvent {
    /// Where it stands.
    pub(crate) position: Position,
    /// What is wrong with it.
    pub(crate) cause: DecodeError,
}

/// Folds further events of its stream into an entry.
pub(crate) fn fold(mut entry: Entry, events: &[RecordedEvent]) -> Result<Entry, UnreadableEvent> {
    for recorded in events {
        let position = recorded.position;
        let event = decode(recorded).map_err(|cause| UnreadableEvent { position, cause })?;
        let state = std::mem::replace(&mut entry.state, State::Commands);
        entry = Entry { version: recorded.version, state: state.evolve(&event) };
    }
    Ok(entry)
}
