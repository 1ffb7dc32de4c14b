//! An event as it is published.

use std::collections::HashMap;
use std::sync::Arc;

use async_nats::{HeaderMap, HeaderValue, Subject, header};
use bytes::Bytes;
use event_store::{LogIdentity, RecordedEvent};
use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

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

/// The header of a trace's context.
const TRACEPARENT: &str = "traceparent";

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

/// The span of a publish, a part of the trace that the event is of; none for an event without one.
pub(super) fn span(event: &RecordedEvent) -> Span {
    let Some(traceparent) = &event.metadata.traceparent else { return Span::none() };
    let span = tracing::info_span!(
        "publish",
        otel.name = %format_args!("publish {}", event.event_type),
        otel.kind = "producer",
        position = event.position,
    );
    if !span.is_disabled() {
        let context = global::get_text_map_propagator(|known| known.extract(&Only(traceparent)));
        // A span that is only logged has no place for it.
        let _ = span.set_parent(context);
    }
    span
}

/// Headers with nothing but a trace's context.
struct Only<'t>(&'t str);

impl Extractor for Only<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// An event, ready to be published.
pub(super) struct Publication {
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

impl Publication {
    /// Says which stream it is meant for, and which sequence has to stand before it there.
    pub(super) fn of(
        log: &LogIdentity,
        stream: &str,
        event: &RecordedEvent,
    ) -> Result<Self, EnvelopeError> {
        let payload = envelope::encode(log, event)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_STREAM, stream);
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, HeaderValue::from(event.position - 1));
        if let Some(traceparent) = &event.metadata.traceparent
            && traceparent.chars().all(|letter| letter.is_ascii_graphic())
        {
            headers.insert(TRACEPARENT, traceparent.as_ref());
        }
        Ok(Self { headers, payload })
    }
}
