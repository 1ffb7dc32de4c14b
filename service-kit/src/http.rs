//! What stands around every router: a request id, a limit on bodies, panics as problems, problems for what is not there.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use metrics::Histogram;

use crate::asked::Asked;
use crate::extract::answer_with;
use crate::hear_out::hear_out;
use crate::problem::Code;

/// The largest body of a request, bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long a client of ours keeps a connection that it does not use. What was used last is used again first, so what a burst
/// opened rests from its end on; a client looks for it this often, and so all of it is gone after twice the time.
pub const KEPT_CONNECTION: Duration = Duration::from_secs(15);

/// The header that carries the request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On an answer of a process that takes no requests yet: another one may.
pub const STANDBY: HeaderName = HeaderName::from_static("docket-standby");

/// What traces and metrics show as the route of a request for which there is none.
pub(crate) const UNMATCHED: &str = "unmatched";

/// The id of a request, as it stands in logs and problems.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Puts a whole service's router behind what every service has.
///
/// In one layer: a router's layers are cloned for every request, each with all that are below it.
pub fn finish(router: Router) -> Router {
    router
        .fallback(|| answer_with(Code::NotFound))
        .method_not_allowed_fallback(|| answer_with(Code::MethodNotAllowed))
        .layer(middleware::from_fn(identify))
}

/// Gives the request an id and its body a bound, and hears the client out.
async fn identify(request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let route = head.extensions.get::<MatchedPath>().cloned();
    let asked = Asked::begin(&head, route.as_ref().map(MatchedPath::as_str));
    head.extensions.insert(RequestId(asked.id().to_owned()));
    let mut request = Request::from_parts(head, body);
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    asked.answered_by(hear_out(request, async |request| next.run(request).await)).await
}

/// Says on an answer which request it is to.
pub(crate) fn say_id(response: &mut Response, id: String) {
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// How long requests of a kind take that are answered so.
pub(crate) fn durations(method: &Method, route: Option<&str>, status: StatusCode) -> Histogram {
    let labels = [
        ("http_request_method", method.as_str().to_owned()),
        ("http_route", route.unwrap_or(UNMATCHED).to_owned()),
        ("http_response_status_code", status.as_str().to_owned()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use std::sync::Arc;
    use tower::ServiceExt;

    async fn ask(method: &str, path: &str) -> (StatusCode, serde_json::Value) {
        let router = Router::new().route("/orders", get(|| async { "orders" }));
        let router = router.route("/broken", get(|| async { panic!("broken") as &str }));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = finish(router).oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_problem_with_the_request_id() {
        let (status, body) = ask("GET", "/nothing").await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
        assert_eq!(body["request_id"].as_str().map(str::len), Some(32));
        let (status, body) = ask("DELETE", "/orders").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(body["code"], "method_not_allowed");
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let (status, body) = ask("GET", "/broken").await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"internal".into())
        );
        assert!(!body.to_string().contains("broken"));
    }

    #[tokio::test]
    async fn the_log_has_the_cause_under_the_id_that_the_client_was_given() {
        let (read, write) = std::io::pipe().unwrap();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(write));
        let logging = tracing::subscriber::set_default(lines.finish());
        let (_, body) = ask("GET", "/broken").await;
        drop(logging);
        let log = std::io::read_to_string(read).unwrap();
        let id = body["request_id"].as_str().unwrap();
        for part in [
            &format!("request_id=\"{id}\""),
            "method=\"GET\" path=\"/broken\"",
            "error=\"a handler panicked: broken\"",
        ] {
            assert!(log.contains(part), "no {part} in {log}");
        }
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}
