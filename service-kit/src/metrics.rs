//! `/metrics` in Prometheus form.

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Buckets of durations, seconds: up to the longest wait that a client may ask for.
const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Buckets of how much is done at once.
const SIZES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// The process already records its metrics, or can't.
#[derive(Debug, thiserror::Error)]
#[error("metrics can't be recorded")]
pub struct MetricsError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Starts recording for the whole process; once.
pub fn install() -> Result<PrometheusHandle, MetricsError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".into()), &SIZES))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| MetricsError(error.into()))
}

/// Gives every metric its `HELP` text: the rows `name | kind | labels | meaning` of the tables in this Markdown.
pub fn describe(tables: &str) {
    for (name, kind, meaning) in tables.lines().filter_map(row) {
        match kind {
            "counter" => metrics::describe_counter!(name, meaning),
            "gauge" => metrics::describe_gauge!(name, meaning),
            "histogram" => metrics::describe_histogram!(name, meaning),
            _ => {}
        }
    }
}

fn row(line: &str) -> Option<(String, &str, String)> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    let (kind, _labels, meaning) = (cells.next()?, cells.next()?, cells.next()?);
    Some((name.to_owned(), kind, meaning.replace('`', "")))
}

/// `/metrics`.
pub fn router(handle: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(handle)
}

/// What the process counts and measures, in Prometheus' text form
#[utoipa::path(get, path = "/metrics", tag = "Operations",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(handle): State<PrometheusHandle>) -> impl IntoResponse {
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], handle.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_a_table_is_a_metric_and_its_head_is_none() {
        let line = "| `docket_sagas` | gauge | `state` | Sagas in each `state` |";
        assert_eq!(row(line), Some(("docket_sagas".into(), "gauge", "Sagas in each state".into())));
        for other in ["| Metric | Kind | Labels | What it is |", "|--|--|--|--|", "Text.", ""] {
            assert_eq!(row(other), None, "{other}");
        }
    }
}
