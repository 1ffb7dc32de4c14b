//! Queries, paths and headers that no client of ours would send.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use hostile_input::bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use service_kit::extract::{JsonBody, PathParams, QueryParams};
use service_kit::page::{PageParams, Paging};
use service_kit::problem::Problem;
use service_kit::{http, idempotency};
use tower::ServiceExt as _;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    state: Option<String>,
    all: Option<bool>,
    limit: Option<String>,
    cursor: Option<String>,
}

async fn list(
    PathParams((shop, number)): PathParams<(String, u32)>,
    QueryParams(asked): QueryParams<Asked>,
) -> Result<String, Problem> {
    let page = PageParams { limit: asked.limit, cursor: asked.cursor };
    let paging = Paging::<u64>::parse(&page, "things", &(asked.state, asked.all))?;
    Ok(format!("{shop} {number} {:?}", paging.after))
}

async fn act(
    headers: axum::http::HeaderMap,
    JsonBody(_body): JsonBody<serde_json::Value>,
) -> Result<String, Problem> {
    Ok(idempotency::key(&headers)?.to_owned())
}

/// A service, as every one is finished.
fn service() -> Router {
    let routes = Router::new().route("/shops/{shop}/{number}", get(list)).route("/act", post(act));
    http::finish(routes)
}

/// The status. Panics where the answer is neither what was asked for nor a clear problem.
fn answered(request: Request<Body>) -> StatusCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let response = service().oneshot(request).await.into_response();
        let status = response.status();
        assert!(response.headers().contains_key("x-request-id"), "{response:?}");
        let kind = response.headers().get("content-type").cloned();
        let answer = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        if status == StatusCode::OK {
            return status;
        }
        assert!(status.is_client_error(), "{status}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(kind.unwrap(), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(problem["status"], status.as_u16());
        assert!(answer.len() < 64 * 1024, "{} bytes", answer.len());
        status
    })
}

fn asked(uri: &str) -> Option<StatusCode> {
    // What is no URI at all never gets here: the server answers it by itself.
    let request = Request::get(uri).body(Body::empty()).ok()?;
    Some(answered(request))
}

/// Text with what a URL can't have as itself percent-encoded, but for what was so already.
fn as_uri(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|} ".contains(&byte);
    let encoded = |byte: &u8| {
        if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }
    };
    bytes.iter().map(encoded).collect()
}

proptest! {
    #[test]
    fn a_query_is_read_or_what_is_wrong_with_it_is_named(query in bytes::noise_or_altered(vec![
        b"state=open&all=true&limit=10".to_vec(),
        b"cursor=WyJhIiwxXQ&limit=1000".to_vec(),
        b"st%61te=caf%c3%a9&all=false".to_vec(),
        b"all=true&all=true&all=x&nothing".to_vec(),
    ])) {
        asked(&format!("/shops/a/1?{}", as_uri(&query)));
    }

    #[test]
    fn a_path_is_read_or_what_is_wrong_with_it_is_named(path in bytes::noise_or_altered(vec![
        b"/shops/a/1".to_vec(),
        b"/shops/%2e%2e/4294967296".to_vec(),
        b"/shops/caf%c3%a9/007".to_vec(),
        b"/act".to_vec(),
    ])) {
        asked(&format!("/{}", as_uri(&path).trim_start_matches('/')));
    }

    #[test]
    fn headers_are_read_or_refused_whatever_bytes_they_have(
        key in vec(any::<u8>(), 0..300),
        kind in prop_oneof![Just(b"application/json".to_vec()), bytes::altered("application/json; charset=utf-8"), vec(any::<u8>(), 0..20)],
        id in vec(any::<u8>(), 0..80),
        method in prop::sample::select(vec![Method::POST, Method::GET, Method::PATCH, Method::OPTIONS, Method::TRACE]),
        times in 1..3_usize,
    ) {
        let mut request = Request::builder().method(method).uri("/act");
        for (name, value) in [("idempotency-key", &key), ("content-type", &kind), ("x-request-id", &id), ("traceparent", &id)] {
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            for _ in 0..times {
                request = request.header(name, value.clone());
            }
        }
        answered(request.body(Body::from("{}")).unwrap());
    }
}

#[test]
fn a_header_that_is_given_twice_is_refused_and_never_the_first_of_them_taken() {
    let request = Request::post("/act").header("content-type", "application/json");
    let request = request.header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(answered(request.body(Body::from("{}")).unwrap()), StatusCode::BAD_REQUEST);
    let request = Request::post("/act").header("idempotency-key", "a");
    let request =
        request.header("content-type", "application/json").header("content-type", "text/plain");
    assert_eq!(
        answered(request.body(Body::from("{}")).unwrap()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[test]
fn a_compressed_body_is_refused_for_that_and_not_as_if_it_were_no_json() {
    for (coding, status) in [("gzip", 415), ("identity, gzip", 415), ("Identity", 200)] {
        let request = Request::post("/act").header("content-type", "application/json");
        let request = request.header("idempotency-key", "a").header("content-encoding", coding);
        let answered = answered(request.body(Body::from("{}")).unwrap());
        assert_eq!(answered.as_u16(), status, "{coding}");
    }
}

#[test]
fn a_query_of_sixty_thousand_bytes_is_answered_in_short() {
    for (piece, status) in
        [("a=1&", 400), ("state=x&", 400), ("%41=1&", 400), ("all=true&", 400), ("&", 200)]
    {
        let query = piece.repeat(60_000 / piece.len());
        let answered = asked(&format!("/shops/a/1?{query}")).map(|status| status.as_u16());
        assert_eq!(answered, Some(status), "{piece}");
    }
    let long = format!("/shops/{}/x?state={}", "a".repeat(30_000), "b".repeat(30_000));
    assert_eq!(asked(&long), Some(StatusCode::BAD_REQUEST));
}
