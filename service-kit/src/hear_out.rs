//! Reads a body that nobody has read, because it is too large or there is no room for it, to its end before the answer goes
//! out. A client that still writes when its connection is closed sees a broken connection, and never the answer that says why.
//!
//! **Invariant:** what is read here is thrown away at once, and bounded in bytes and time.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use http_body::{Frame, SizeHint};

/// The most that is read of what nobody wants, bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long it is read.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers, and hears the client out when its body was not read.
pub(crate) async fn hear_out(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let rest = body.clone();
    let response = answer(Request::from_parts(parts, Body::new(body))).await;
    let unread = [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::SERVICE_UNAVAILABLE];
    if unread.contains(&response.status()) {
        drain(rest, MOST_BYTES, PATIENCE).await;
    }
    response
}

/// Reads a body to its end. When it is late or endless the connection is closed under the client, as it would have been before.
pub(crate) async fn drain<B>(mut body: B, most_bytes: usize, patience: Duration)
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let whole = async {
        let mut read = 0;
        while read < most_bytes {
            let frame =
                std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let Some(Ok(frame)) = frame else { return };
            read += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    drop(tokio::time::timeout(patience, whole).await);
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
