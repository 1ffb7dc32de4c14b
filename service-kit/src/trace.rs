//! A trace that goes on: from a request or an event into a span, and from a span into the next request or event.
//!
//! Between processes a trace travels as W3C `traceparent`, in headers and beside events. While no traces are sent, all of
//! this does nothing and costs nothing.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header of a trace's context.
const TRACEPARENT: &str = "traceparent";

/// How long a context is, at least: later versions may say more.
const LENGTH: usize = 55;

/// Links of a span, at most: a batch may be of any number of traces.
const MOST_LINKS: usize = 64;

/// Whether spans are sent. What has to be kept for a later span is kept only then.
pub fn is_on() -> bool {
    crate::telemetry::is_tracing()
}

/// Lets a span that was not entered yet continue this trace. Without a context, or with one that can't be read, it stays
/// what it was.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if span.is_disabled() {
        return;
    }
    if let Some(context) = traceparent.and_then(read) {
        set_parent(span, context);
    }
}

/// The context of a span, for what follows from it; none while no traces are sent.
pub fn traceparent(span: &Span) -> Option<Arc<str>> {
    if span.is_disabled() || !is_on() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| {
        let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags());
        format!("00-{trace}-{span}-{:02x}", flags.to_u8() & 1).into()
    })
}

/// The span of a request that came in; it continues the caller's trace.
pub fn server_span(method: &Method, route: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    follow(&span, headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()));
    span
}

/// The span of a request that goes out, a part of what the process is at.
pub fn client_span(method: &Method, to: &str) -> Span {
    tracing::info_span!(
        "call",
        otel.name = %format_args!("{method} {to}"),
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        http.request.method = %method,
        peer.service = to,
        http.response.status_code = tracing::field::Empty,
    )
}

/// What was answered, into the span of the request. `failed` says whether it is an error on this side of it.
pub fn answered(span: &Span, status: u16, failed: bool) {
    span.record("http.response.status_code", status);
    if failed {
        span.record("otel.status_code", "ERROR");
    }
}

/// Puts the context of a span into the headers of a request, in the place of another.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    if let Some(context) = traceparent(span)
        && let Ok(value) = HeaderValue::from_str(&context)
    {
        headers.insert(TRACEPARENT, value);
    }
}

/// The traces that a batch is of.
#[derive(Debug)]
pub struct Causes(Vec<SpanContext>);

impl Causes {
    /// The traces that are sent of these; none when there are none.
    pub fn of<'t>(traceparents: impl IntoIterator<Item = &'t str>) -> Option<Self> {
        let mut causes: Vec<SpanContext> = Vec::new();
        let mut last = "";
        for traceparent in traceparents {
            // Events of one command stand side by side.
            if traceparent == last || causes.len() >= MOST_LINKS {
                continue;
            }
            last = traceparent;
            let sampled = read(traceparent).filter(SpanContext::is_sampled);
            causes.extend(sampled.filter(|context| !causes.contains(context)));
        }
        (!causes.is_empty()).then_some(Self(causes))
    }

    /// Makes the span of the batch a part of their trace when they are of one, and links it to each of them.
    #[must_use]
    pub fn lead_to(self, span: Span) -> Span {
        if let Some(first) = self.0.first()
            && self.0.iter().all(|cause| cause.trace_id() == first.trace_id())
        {
            set_parent(&span, first.clone());
        }
        for cause in self.0 {
            span.add_link(cause);
        }
        span
    }
}

fn set_parent(span: &Span, context: SpanContext) {
    let parent = opentelemetry::Context::new().with_remote_span_context(context);
    // A span that is only logged has no place for it.
    let _ = span.set_parent(parent);
}

/// Whether this is a context that a trace can continue.
pub fn is_context(traceparent: &str) -> bool {
    read(traceparent).is_some()
}

/// Reads a `traceparent`. Its fields have fixed widths, which the library does not look at.
fn read(traceparent: &str) -> Option<SpanContext> {
    struct Only<'t>(&'t str);
    impl Extractor for Only<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == TRACEPARENT).then_some(self.0)
        }
        fn keys(&self) -> Vec<&str> {
            vec![TRACEPARENT]
        }
    }
    if traceparent.len() < LENGTH {
        return None;
    }
    let nothing = opentelemetry::Context::new();
    let context = TraceContextPropagator::new().extract_with_context(&nothing, &Only(traceparent));
    let context = context.span().span_context().clone();
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const NOT_SENT: &str = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00";

    #[test]
    fn a_context_is_read_and_what_is_none_is_not() {
        let context = read(ONE).unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        for wrong in ["", "x", &ONE[..54], "00-0-0-01", "00-00000000000000000000000000000000-1-01"]
        {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_batch_follows_from_each_trace_once_and_only_from_those_that_are_sent() {
        assert!(Causes::of([NOT_SENT, "what"]).is_none());
        let causes = Causes::of([ONE, ONE, NOT_SENT, ONE]).unwrap();
        assert_eq!(causes.0.len(), 1);
    }

    #[test]
    fn while_no_traces_are_sent_a_span_has_no_context() {
        let span = tracing::info_span!("work");
        follow(&span, Some(ONE));
        assert_eq!(traceparent(&span), None);
    }
}
