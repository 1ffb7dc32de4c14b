//! What holds of any bytes that are handed over as a JSON body. `fuzz/` holds the same.

use axum::body::{Body, to_bytes};
use axum::extract::FromRequest as _;
use axum::http::Request;
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::business_time::BusinessTime;
use service_kit::extract::JsonBody;

/// The most bytes of an answer to a body that can't be read, however large that is.
const MOST_ANSWERED: usize = 64 * 1024;

/// A body of some depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    id: String,
    lines: Vec<Line>,
    address: Option<Address>,
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
    express: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    quantity: u32,
    delta: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    lines: Vec<String>,
}

/// The order, or the problem as the client gets it. Panics where it is no clear one.
pub(crate) fn read(body: &[u8]) -> Result<Order, Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let request = Request::post("/").header("content-type", "application/json");
        let request = request.body(Body::from(body.to_vec())).expect("what this made itself");
        let problem = match JsonBody::<Order>::from_request(request, &()).await {
            Ok(JsonBody(order)) => return Ok(order),
            Err(problem) => problem.into_response(),
        };
        assert_eq!(problem.status(), 400);
        let answer =
            to_bytes(problem.into_body(), usize::MAX).await.expect("what this made itself");
        assert!(answer.len() <= MOST_ANSWERED, "{} bytes of answer", answer.len());
        let problem: Value = serde_json::from_slice(&answer).expect("what this made itself");
        assert_eq!(problem["code"], "invalid_body");
        let mistakes = problem["errors"].as_array().expect("what this made itself");
        assert!((1..=20).contains(&mistakes.len()), "{problem}");
        assert!(mistakes.iter().all(|mistake| mistake["detail"] != ""), "{problem}");
        Err(problem)
    })
}

/// What is read, written and read again is the same.
pub(crate) fn check(body: &[u8]) {
    if let Ok(order) = read(body) {
        let written = serde_json::to_vec(&order).expect("what this made itself");
        assert_eq!(read(&written), Ok(order));
    }
}
