//! Which statements ran, as the driver tells them.
//!
//! It listens to the whole process, and keeps what is asked within a span of its own: what else works meanwhile, in tasks of its own, is
//! not heard.

use std::fmt::Debug;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Instrument as _, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Where the driver tells its statements.
const TARGET: &str = "sqlx::query";
/// The span whose statements are kept.
const SPAN: &str = "heard";

static HEARD: Mutex<Option<Vec<String>>> = Mutex::new(None);
static LISTENING: OnceLock<()> = OnceLock::new();

/// The statements that ran while this future did, each once, in the order in which they ended.
pub async fn during<T>(act: impl Future<Output = T>) -> (T, Vec<String>) {
    LISTENING.get_or_init(|| {
        let listener = Registry::default().with(Listener.with_filter(LevelFilter::DEBUG));
        // Where somebody else listens already, nothing is heard, and whoever wants to see a plan finds none.
        let _ = tracing::subscriber::set_global_default(listener);
    });
    *heard() = Some(Vec::new());
    let done = act.instrument(tracing::debug_span!(SPAN)).await;
    (done, heard().take().unwrap_or_default())
}

fn heard() -> std::sync::MutexGuard<'static, Option<Vec<String>>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Listener;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut spans = context.event_scope(event).into_iter().flatten();
        if !spans.any(|span| span.name() == SPAN) {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        // The summary of a short statement is all of it.
        let statement =
            if told.statement.trim().is_empty() { told.summary } else { told.statement };
        let statement = statement.trim().to_owned();
        if let Some(heard) = heard().as_mut()
            && !heard.contains(&statement)
        {
            heard.push(statement);
        }
    }
}

#[derive(Default)]
struct Told {
    summary: String,
    statement: String,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
