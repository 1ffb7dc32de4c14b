//! Answers in fewer bytes, for whoever says that they can read them so.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

/// Answers that are smaller are not worth the time, bytes.
const COMPRESSED_FROM: u64 = 1024;

/// What a client can read beside plain bytes; nothing, when it says nothing of it.
pub(super) fn accepted(headers: &HeaderMap) -> Option<Vec<HeaderValue>> {
    let said = headers.get_all(header::ACCEPT_ENCODING);
    let said: Vec<HeaderValue> = said.iter().cloned().collect();
    (!said.is_empty()).then_some(said)
}

/// An answer as a client can read it that said so.
pub(super) async fn compressed(accepted: Vec<HeaderValue>, answer: Response) -> Response {
    let worth_it =
        SizeAbove::new(COMPRESSED_FROM).and(NotForContentType::const_new("text/event-stream"));
    let layer = CompressionLayer::new().gzip(true).compress_when(worth_it);
    let mut asked = Request::new(Body::empty());
    for said in accepted {
        asked.headers_mut().append(header::ACCEPT_ENCODING, said);
    }
    let mut answer = Some(answer);
    let given = service_fn(move |_| {
        std::future::ready(Ok::<Response, Infallible>(answer.take().unwrap_or_default()))
    });
    let Ok(answer) = layer.layer(given).oneshot(asked).await;
    answer.map(Body::new)
}
