//! An event as it is published.

use std::collections::HashMap;
use std::sync::Arc;

use async_nats::Subject;
use async_nats::jetstream::message::PublishMessage;
use event_store::{LogIdentity, RecordedEvent};

use crate::jetstream::envelope::{self, EnvelopeError};
use crate::jetstream::names::Names;

/// Says of which context an event is, from its stream and its type.
pub type ContextOf = Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

/// The context of an event, when nobody says otherwise: what its stream's name begins with.
pub(super) fn beginning_of_stream(stream: &str, _event_type: &str) -> String {
    stream.split_once('-').map_or(stream, |(prefix, _)| prefix).to_owned()
}

/// The subjects seen so far: a handful of contexts and types, made once.
pub(super) struct Subjects {
    names: Names,
    context_of: ContextOf,
    known: HashMap<(String, Arc<str>), Subject>,
}

/// Beyond this, types are no longer a handful.
const MOST_KNOWN: usize = 10_000;

impl Subjects {
    pub(super) fn new(names: Names, context_of: ContextOf) -> Self {
        Self { names, context_of, known: HashMap::new() }
    }

    pub(super) fn of(&mut self, log: &LogIdentity, event: &RecordedEvent) -> Subject {
        let context = (self.context_of)(&event.stream, &event.event_type);
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        let names = &self.names;
        self.known
            .entry((context, Arc::clone(&event.event_type)))
            .or_insert_with_key(|(context, kind)| names.event(&log.log, context, kind).into())
            .clone()
    }
}

/// The message of an event, and its bytes.
pub(super) fn message(
    log: &LogIdentity,
    stream: &str,
    event: &RecordedEvent,
) -> Result<(PublishMessage, usize), EnvelopeError> {
    let payload = envelope::encode(log, event)?;
    let bytes = payload.len();
    let mut message = PublishMessage::build()
        .payload(payload)
        .expected_stream(stream)
        .expected_last_sequence(event.position - 1);
    if let Some(traceparent) = &event.metadata.traceparent
        && traceparent.chars().all(|letter| letter.is_ascii_graphic())
    {
        message = message.header("traceparent", traceparent.as_ref());
    }
    Ok((message, bytes))
}
