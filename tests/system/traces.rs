//! Traces: one command is followed through every process that has to do with it, and nothing depends on who watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use prost::Message as _;
use serde_json::Value;
use test_servers::free_port;
use tokio::net::TcpListener;

use crate::platform::{Data, Platform, docket};
use crate::services::{Services, send_traces};
use crate::shop::order;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT: &str = "b7ad6b7169203331";
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A span as the collector got it.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    id: String,
    parent: String,
    trace: String,
    linked: Vec<String>,
}

/// Takes spans over OTLP, as protobuf over HTTP.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Starts one; gives its port too.
    async fn start() -> (Self, u16) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, port)
    }

    /// The spans of a trace, and those that are linked to it.
    fn of(&self, trace: &str) -> Vec<Span> {
        let spans = self.0.lock().unwrap();
        let of = |span: &&Span| span.trace == trace || span.linked.iter().any(|of| of == trace);
        spans.iter().filter(of).cloned().collect()
    }

    /// Waits until a trace has a span of each service with this in its name.
    async fn until(&self, trace: &str, wanted: &[(&str, &str)]) -> Vec<Span> {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let spans = self.of(trace);
            let is_there = |(service, name): &(&str, &str)| {
                spans.iter().any(|span| span.service == *service && span.name.contains(name))
            };
            let missing: Vec<_> = wanted.iter().filter(|wanted| !is_there(wanted)).collect();
            if missing.is_empty() {
                return spans;
            }
            let seen: BTreeSet<_> = spans.iter().map(|span| (&span.service, &span.name)).collect();
            assert!(begun.elapsed() < PATIENCE, "{missing:?} never came; there are {seen:#?}");
        }
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut spans = collector.0.lock().unwrap();
    for of_resource in request.resource_spans {
        let service = service_name(&of_resource.resource.unwrap());
        let sent = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(sent.map(|sent| span(&service, &sent)));
    }
}

fn service_name(resource: &Resource) -> String {
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    match name.unwrap().value.clone().unwrap().value.unwrap() {
        Attribute::StringValue(name) => name,
        other => panic!("{other:?} is no name"),
    }
}

fn span(service: &str, sent: &Sent) -> Span {
    Span {
        service: service.to_owned(),
        name: sent.name.clone(),
        id: hex(&sent.span_id),
        parent: hex(&sent.parent_span_id),
        trace: hex(&sent.trace_id),
        linked: sent.links.iter().map(|link| hex(&link.trace_id)).collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// `service: name` of a span and of everything above it, up to what is not ours.
fn ancestry(spans: &[Span], of: &Span) -> Vec<String> {
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let above = |span: &&Span| by_id.get(span.parent.as_str()).copied();
    let chain = std::iter::successors(Some(of), above);
    chain
        .map(|span| format!("{}: {}", span.service.trim_start_matches("docket-"), span.name))
        .collect()
}

async fn place(platform: &Platform, id: &str) {
    let traceparent = format!("00-{TRACE}-{CLIENT}-01");
    let headers = [("idempotency-key", id), ("prefer", "wait=30"), ("traceparent", &traceparent)];
    let body = order(id, "22423", "pm_ok").to_string();
    let placed = platform.post_with("/v1/orders", &headers, body).await.ok();
    assert_eq!(placed["status"], "confirmed");
}

#[tokio::test]
async fn one_order_is_followed_through_every_process_to_the_provider_and_back() {
    let (collector, port) = Collector::start().await;
    let Some(services) = Services::start_with(port).await else { return };
    services.gateway.sell("22423", 5).await;
    place(&services.gateway, "o-1").await;
    let spans = collector
        .until(
            TRACE,
            &[
                ("docket-gateway", "POST /v1/{*path}"),
                ("docket-gateway", "POST command-service"),
                ("docket-command-service", "POST /v1/orders"),
                ("docket-command-service", "PlaceOrder"),
                ("docket-command-service", "decide"),
                ("docket-command-service", "append"),
                ("docket-command-service", "publish OrderPlaced"),
                ("docket-projection-service", "project orders"),
                ("docket-saga-orchestrator", "OrderPlaced -> "),
                ("docket-command-service", "ReserveStock"),
                ("docket-command-service", "POST payment-provider"),
                ("docket-payment-simulator", "POST "),
                ("docket-command-service", "publish PaymentAuthorized"),
                ("docket-saga-orchestrator", "PaymentAuthorized -> "),
                ("docket-command-service", "ConfirmOrder"),
            ],
        )
        .await;

    let confirm = spans.iter().find(|span| span.name == "ConfirmOrder").unwrap();
    let way = ancestry(&spans, confirm);
    let services_on_the_way: Vec<&str> =
        way.iter().map(|step| step.split(':').next().unwrap()).collect();
    assert!(services_on_the_way.contains(&"saga-orchestrator"), "{way:#?}");
    assert_eq!(way.last().unwrap(), "gateway: POST /v1/{*path}", "{way:#?}");
    let first = spans.iter().find(|span| span.name == "POST /v1/{*path}").unwrap();
    assert_eq!(first.parent, CLIENT, "the client's own trace goes on");
    let provider = spans.iter().find(|span| span.service == "docket-payment-simulator").unwrap();
    let way = ancestry(&spans, provider);
    assert_eq!(way.last().unwrap(), "gateway: POST /v1/{*path}", "{way:#?}");
    services.terminate().await;
}

#[tokio::test]
async fn a_collector_that_is_away_fails_nothing_and_what_it_missed_is_counted() {
    let data = Data::new();
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path());
    send_traces(&mut command, free_port().unwrap());
    let platform = Platform::of(command).await;
    platform.sell("22423", 5).await;
    place(&platform, "o-1").await;
    let counted = |text: &str| {
        text.lines().any(|line| {
            line.starts_with("docket_trace_spans_dropped_total{reason=\"not_taken\"}")
                && !line.ends_with(" 0")
        })
    };
    let begun = Instant::now();
    while !counted(&platform.text("/metrics").await) {
        assert!(begun.elapsed() < PATIENCE, "nothing was dropped");
    }
    assert!(platform.terminate().await.success());
}

#[tokio::test]
async fn a_log_line_of_a_request_says_its_trace() {
    let (_collector, port) = Collector::start().await;
    let nobody = format!("http://127.0.0.1:{}", free_port().unwrap());
    let mut command = docket(&["gateway", "--listen", "127.0.0.1:0", "--log-format", "json"]);
    command.args(["--log-filter", "docket=debug,gateway=debug", "--command-service-url", &nobody]);
    let log = tempfile::NamedTempFile::new().unwrap();
    command.stderr(log.reopen().unwrap());
    send_traces(&mut command, port);
    let gateway = Platform::of(command).await;
    let traceparent = format!("00-{TRACE}-{CLIENT}-01");
    let headers = [("idempotency-key", "1"), ("traceparent", traceparent.as_str())];
    let away = gateway.post_with("/v1/orders", &headers, "{}").await;
    assert_eq!(away.problem(), (503, "unavailable"));
    assert!(gateway.terminate().await.success());
    let log = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The gateway's own questions of who is ready are not answered either.
    let ours = lines.iter().find(|line| {
        line["message"] == "a request was not answered"
            && line["upstream"] == "command-service"
            && line["trace_id"] == TRACE
    });
    assert!(ours.is_some(), "{log}");
}
