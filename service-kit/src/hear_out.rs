//! Reads what is left of a body that its answer did not wait for, before the answer goes out. A client that still writes when its
//! connection is closed sees a broken connection, and never the answer that says why; and a proxy that keeps the connection would
//! send somebody else's request on it.
//!
//! **Invariant:** what is read here is thrown away at once, and bounded in bytes and time. A connection on which something is left
//! is said to be closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body::{Frame, SizeHint};

use crate::http::MAX_BODY_BYTES;

/// How much is read of what nobody wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) bytes: usize,
    pub(crate) within: Duration,
}

/// Of what could have been read, and was not.
const USUAL: Bound = Bound { bytes: MAX_BODY_BYTES, within: Duration::from_secs(5) };
/// Of what is too large.
const TOO_LARGE: Bound = Bound { bytes: 64 * 1024 * 1024, ..USUAL };

/// Whether a client sends its body only once it is told to go on: then it is not, by an answer that comes first.
pub fn asks_first(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Answers, and hears the client out when its body was not read.
pub(crate) async fn hear_out(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if request.body().is_end_stream() {
        return answer(request).await;
    }
    let asks_first = asks_first(request.headers());
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let rest = body.clone();
    let response = answer(Request::from_parts(parts, Body::new(body))).await;
    to_its_end(rest, asks_first, response).await
}

/// Gives the answer once the client is heard out, where that may be sending still.
pub async fn to_its_end<B>(body: B, asks_first: bool, response: Response) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let is_too_large = response.status() == StatusCode::PAYLOAD_TOO_LARGE;
    within(body, asks_first, if is_too_large { TOO_LARGE } else { USUAL }, response).await
}

/// The same, with another bound.
pub(crate) async fn within<B>(
    body: B,
    asks_first: bool,
    bound: Bound,
    mut response: Response,
) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if !body.is_end_stream() && (asks_first || !drained(body, bound).await) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Whether a body was read to its end.
async fn drained<B>(mut body: B, bound: Bound) -> bool
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let whole = async {
        let mut read = 0;
        while read <= bound.bytes {
            let frame =
                std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            match frame {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) => return false,
                None => return true,
            }
        }
        false
    };
    tokio::time::timeout(bound.within, whole).await.unwrap_or(false)
}

/// A body that whoever comes later can read on.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
