//! What the platform itself says: some of it is what a simulation must have seen, and all of it is part of the trace.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::trace::Trace;

/// Words of a message, words of its reason, and what they mean.
const KNOWN: [(&str, &str, &str); 6] = [
    ("the stream does not end where it should", "", "a relay fenced"),
    ("the stream of events was not a copy of the log", "", "a stream that was no copy, rebuilt"),
    ("its epoch was raised", "", "an epoch raised"),
    ("read from the log", "the stream lacks it", "a hole in the middle filled"),
    ("read from the log", "more is announced than came", "a hole at the tail noticed"),
    ("read from the log", "a stray message", "a stray message passed over"),
];

/// Hears all that is said in this thread, until it is dropped.
pub(crate) fn listen(trace: &Arc<Trace>) -> DefaultGuard {
    tracing::subscriber::set_default(Listener(Arc::clone(trace)))
}

struct Listener(Arc<Trace>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = ["messaging", "projection_service"];
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && ours.iter().any(|target| metadata.target().starts_with(target))
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        let Said { message, why } = said;
        for (words, reason, what) in KNOWN {
            if message.contains(words) && why.contains(reason) {
                self.0.happened(what);
            }
        }
        self.0.tell(format_args!("\"{message}\" {why}"));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[derive(Default)]
struct Said {
    message: String,
    why: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "why" | "cause" => &mut self.why,
            _ => return,
        };
        // Writing to a text can't fail.
        let _written = write!(text, "{value:?}");
    }
}
