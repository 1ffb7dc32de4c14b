//! Logs: lines for people, or JSON for machines, on stderr. And traces, for whom an endpoint is configured.
//!
//! What spans there are is the services' own; see [`crate::trace`] for how one goes on across processes.
//!
//! **Invariant:** without an endpoint no span is made, and nothing is kept or sent. With one, whatever becomes of it, no
//! request waits for it and none fails.

mod exporting;
mod lines;
mod otlp;

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::trace::SdkTracer;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Format;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use exporting::Exporting;
use lines::{ForPeople, WithTrace};

/// Whose spans are traced: our own services', not those of the libraries below.
const TRACED: [&str; 6] = [
    "command_service",
    "docket",
    "messaging",
    "projection_service",
    "saga_orchestrator",
    "service_kit",
];

/// What sends spans, once that was asked for.
static EXPORTING: OnceLock<Exporting> = OnceLock::new();

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Why logs and traces do not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// What the environment says of traces can't be followed.
    #[error("traces can't be sent as the environment says (OTEL_EXPORTER_OTLP_…)")]
    Traces(#[from] ExporterBuildError),
    /// Another protocol is asked for.
    #[error("{variable} is `{asked}`; traces are only sent as http/protobuf")]
    Protocol {
        /// Where it stands.
        variable: &'static str,
        /// What is asked for.
        asked: String,
    },
    /// The process has logs already.
    #[error(transparent)]
    Twice(#[from] TryInitError),
}

/// Starts logging for the whole process, and tracing if the environment names an endpoint; once, inside a Tokio runtime.
///
/// `service` is how the process is called in traces unless `OTEL_SERVICE_NAME` says otherwise. `filter` is in the syntax of
/// `RUST_LOG`, such as `info,sqlx=warn`; it is about log lines only.
pub fn install(service: &str, format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::new(filter);
    let Some((tracer, exporting)) = otlp::from_environment(service)? else {
        let registry = tracing_subscriber::registry().with(filter);
        return Ok(registry.with(log_lines(format)).try_init()?);
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer::<SdkTracer>(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_targets(TRACED.map(|name| (name, LevelFilter::INFO))));
    let registry = tracing_subscriber::registry();
    registry.with(lines_with_traces(format).with_filter(filter)).with(spans).try_init()?;
    // Nobody else sets it: a second start of logs was refused above.
    let _ = EXPORTING.set(exporting);
    Ok(())
}

/// Whether spans are sent.
pub(crate) fn is_tracing() -> bool {
    EXPORTING.get().is_some()
}

/// Sends the spans that wait, as far as that is possible in this time. The last thing that a process does.
pub async fn flush(within: Duration) {
    if let Some(exporting) = EXPORTING.get() {
        exporting.flush(within).await;
    }
}

fn log_lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Colours are for a person at a terminal, not for a file.
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    match format {
        LogFormat::Text => lines.event_format(ForPeople::new()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// The same lines, each with the ids of the trace that it was written in. They have no colours.
fn lines_with_traces<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    match format {
        LogFormat::Text => lines.event_format(WithTrace::text(ForPeople::new())).boxed(),
        LogFormat::Json => {
            let json = Format::default().json().flatten_event(true);
            lines.json().event_format(WithTrace::json(json)).boxed()
        }
    }
}
