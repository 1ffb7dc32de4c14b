//! An event as it is published.

use std::sync::Arc;

use event_store::{LogIdentity, RecordedEvent};
use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::jetstream::carrier::Outgoing;
use crate::jetstream::envelope::{self, EnvelopeError};

/// Says of which context an event is, from its stream and its type.
pub type ContextOf = Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

/// The context of an event, when nobody says otherwise: what its stream's name begins with.
pub(super) fn beginning_of_stream(stream: &str, _event_type: &str) -> String {
    stream.split_once('-').map_or(stream, |(prefix, _)| prefix).to_owned()
}

/// The header of a trace's context.
const TRACEPARENT: &str = "traceparent";

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

/// An event as it goes out, and the bytes of its message.
pub(super) fn outgoing<'e>(
    log: &'e LogIdentity,
    event: &'e RecordedEvent,
    context_of: &ContextOf,
) -> Result<(Outgoing<'e>, usize), EnvelopeError> {
    let envelope = envelope::encode(log, event)?;
    let bytes = envelope.len();
    let traceparent = event.metadata.traceparent.as_deref();
    let outgoing = Outgoing {
        log,
        context: context_of(&event.stream, &event.event_type),
        event_type: &event.event_type,
        traceparent: traceparent
            .filter(|text| text.chars().all(|letter| letter.is_ascii_graphic())),
        envelope,
        after: event.position - 1,
    };
    Ok((outgoing, bytes))
}
