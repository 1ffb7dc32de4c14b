//! Whether and where traces are sent, read from the environment variables of OpenTelemetry.
//!
//! Read here: `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL`, and whether there is an
//! endpoint. The libraries read the rest: `OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT`, `…_HEADERS`, `…_TIMEOUT`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::TelemetryError;
use super::exporting::{Exporting, Limits};

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const SPOKEN: &str = "http/protobuf";

/// What makes spans and what sends them; none when no endpoint is configured.
pub(super) fn from_environment(
    service: &str,
) -> Result<Option<(SdkTracer, Exporting)>, TelemetryError> {
    if !wanted(said) {
        return Ok(None);
    }
    if let Some((variable, asked)) = other_protocol(said) {
        return Err(TelemetryError::Protocol { variable, asked });
    }
    let exporter = SpanExporter::builder().with_http().build()?;
    let limits = Limits::from(|name| said(name)?.parse().ok());
    let (processor, exporting) = Exporting::start(exporter, limits);
    let provider = SdkTracerProvider::builder()
        .with_resource(resource(service))
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("docket");
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(provider);
    Ok(Some((tracer, exporting)))
}

fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn wanted(said: impl Fn(&str) -> Option<String>) -> bool {
    let disabled =
        said("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let elsewhere = said("OTEL_TRACES_EXPORTER").is_some_and(|value| value != "otlp");
    !disabled && !elsewhere && ENDPOINTS.iter().any(|name| said(name).is_some())
}

/// The protocol that is asked for when it is not the one that is spoken; that of traces counts before the general one.
fn other_protocol(said: impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    let (variable, asked) = PROTOCOLS.iter().find_map(|name| Some((*name, said(name)?)))?;
    (asked != SPOKEN).then_some((variable, asked))
}

/// Who sends. What the environment says of it comes first.
fn resource(service: &str) -> Resource {
    let from_environment = Resource::builder().build();
    let mut own = vec![
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let name = from_environment.get(&"service.name".into()).map(|name| name.to_string());
    if name.is_none_or(|name| name.starts_with("unknown_service")) {
        own.push(KeyValue::new("service.name", service.to_owned()));
    }
    Resource::builder().with_attributes(own).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(
        variables: &'static [(&'static str, &'static str)],
    ) -> impl Fn(&str) -> Option<String> + Copy {
        |name| Some(variables.iter().find(|(variable, _)| *variable == name)?.1.to_owned())
    }

    #[test]
    fn traces_are_off_unless_an_endpoint_is_said() {
        assert!(!wanted(environment(&[])));
        assert!(!wanted(environment(&[("OTEL_SERVICE_NAME", "shop")])));
        assert!(wanted(environment(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")])));
        assert!(wanted(environment(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/t")])));
        let off = &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_SDK_DISABLED", "TRUE")];
        assert!(!wanted(environment(off)));
        let none = &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_TRACES_EXPORTER", "none")];
        assert!(!wanted(environment(none)));
    }

    #[test]
    fn another_protocol_is_refused_by_the_variable_that_asks_for_it() {
        let grpc = environment(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert_eq!(other_protocol(grpc), Some((PROTOCOLS[1], "grpc".to_owned())));
        let traces_come_first = environment(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ]);
        assert_eq!(other_protocol(traces_come_first), None);
    }
}
