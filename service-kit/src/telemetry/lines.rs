//! Log lines: what those for people leave out, and in which trace a line was written.

use std::fmt::{self, Write as _};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What lines for an audit have as their target, or begin theirs with.
const AUDIT: &str = "docket::audit";

/// Lines for people. They leave out where in the program they come from, but for those of an audit, which are looked for by that.
pub(super) struct ForPeople {
    usual: Format,
    audit: Format,
}

impl ForPeople {
    pub(super) fn new() -> Self {
        Self { usual: Format::default().with_target(false), audit: Format::default() }
    }
}

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let is_audit = event.metadata().target().starts_with(AUDIT);
        let format = if is_audit { &self.audit } else { &self.usual };
        format.format_event(context, writer, event)
    }
}

/// A format of lines, and the ids of the current trace at their end.
pub(super) struct WithTrace<F> {
    lines: F,
    ending: fn(&mut String, &SpanContext) -> fmt::Result,
}

impl<F> WithTrace<F> {
    /// Lines for people.
    pub(super) fn text(lines: F) -> Self {
        Self { lines, ending: at_the_end }
    }

    /// One JSON object a line.
    pub(super) fn json(lines: F) -> Self {
        Self { lines, ending: as_members }
    }
}

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let current = Context::current();
        let span = current.span().span_context().clone();
        if !span.is_valid() {
            return self.lines.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        (self.ending)(&mut line, &span)?;
        writer.write_str(&line)
    }
}

fn at_the_end(line: &mut String, span: &SpanContext) -> fmt::Result {
    line.truncate(line.trim_end_matches('\n').len());
    writeln!(line, " trace_id={}", span.trace_id())
}

fn as_members(line: &mut String, span: &SpanContext) -> fmt::Result {
    let object = line.trim_end_matches('\n');
    let Some(members) = object.strip_suffix('}') else { return Ok(()) };
    line.truncate(members.len());
    let (trace, span) = (span.trace_id(), span.span_id());
    writeln!(line, r#","trace_id":"{trace}","span_id":"{span}"}}"#)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn span() -> SpanContext {
        let (trace, span) = (TraceId::from(0xabc), SpanId::from(0x1));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::default())
    }

    /// What was written, as a writer of its own.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_of_an_audit_says_so_and_others_say_nothing_of_the_program() {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).event_format(ForPeople::new());
        let lines = lines.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(lines, || {
            tracing::warn!(target: "docket::audit", "refused");
            tracing::warn!("slow");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let (audit, usual) = text.split_once('\n').unwrap();
        assert!(audit.ends_with("WARN docket::audit: refused"), "{text}");
        assert!(usual.ends_with("WARN slow\n"), "{text}");
    }

    #[test]
    fn an_object_stays_an_object() {
        let mut line = "{\"level\":\"WARN\",\"message\":\"a } b\"}\n".to_owned();
        as_members(&mut line, &span()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["message"], "a } b");
        assert_eq!(read["trace_id"], "00000000000000000000000000000abc");
        assert_eq!(read["span_id"], "0000000000000001");
        assert!(line.ends_with("}\n"));
    }

    #[test]
    fn a_line_for_people_says_the_trace_at_its_end() {
        let mut line = "WARN a log is away\n".to_owned();
        at_the_end(&mut line, &span()).unwrap();
        assert_eq!(line, "WARN a log is away trace_id=00000000000000000000000000000abc\n");
    }
}
