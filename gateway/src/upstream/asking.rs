//! One request to one process, and its answer.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Error;
use service_kit::http::STANDBY;
use service_kit::trace;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::client::{Base, Client};
use super::handed::{Handed, of_the_request};

/// The largest answer that is read whole before the first byte of it goes on, bytes: one that breaks off can be asked for again.
/// A larger one, and one that has no end yet, goes on as it comes.
const READ_WHOLE: u64 = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Another process is the active one.
    #[error("it stands by")]
    Standby(Box<Response>),
    /// No connection: what never left is not carried out.
    #[error("no connection: {0}")]
    NoConnection(#[source] Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("it took too long")]
    Late,
}

impl Client {
    /// Asks one process until this moment.
    pub(super) async fn ask(
        &self,
        to: (&Base, &'static str),
        request: &Handed,
        ends: Instant,
    ) -> Result<Response, Unanswered> {
        let span = trace::client_span(&request.method, to.1);
        let asked = tokio::time::timeout_at(ends, self.answer(to.0, request, &span));
        let answer = asked.instrument(span.clone()).await.unwrap_or(Err(Unanswered::Late));
        match &answer {
            Ok(answer) => {
                let status = answer.status();
                trace::answered(&span, status.as_u16(), status.is_server_error());
            }
            Err(_) => drop(span.record("otel.status_code", "ERROR")),
        }
        answer
    }

    /// Reads from a process what stands under a path of its own: its status, and its body when it has one.
    pub(crate) async fn look(
        &self,
        base: &Base,
        path: &'static str,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        let span = tracing::Span::none();
        let answer = self.answer(base, &Handed::get(path), &span).await?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::try_from(READ_WHOLE).unwrap_or(usize::MAX));
        Ok((parts.status, body.await.map_err(|error| Unanswered::Broken(error.into()))?))
    }

    async fn answer(
        &self,
        base: &Base,
        handed: &Handed,
        span: &tracing::Span,
    ) -> Result<Response, Unanswered> {
        let broken = |error: axum::http::Error| Unanswered::Broken(error.into());
        let mut request = Request::new(Full::new(handed.body.clone()));
        *request.method_mut() = handed.method.clone();
        *request.uri_mut() = base.uri(handed.path.clone()).map_err(broken)?;
        *request.headers_mut() = handed.headers.clone();
        trace::inject(span, request.headers_mut());
        let answer = self.send(request).await.map_err(|error| {
            if error.is_connect() {
                Unanswered::NoConnection(error)
            } else {
                Unanswered::Broken(error.into())
            }
        })?;
        let (mut parts, body) = answer.into_parts();
        of_the_request(&mut parts.headers);
        let stands_by =
            parts.status == StatusCode::SERVICE_UNAVAILABLE && parts.headers.contains_key(STANDBY);
        let body = self.read(body, &parts.headers).await?;
        let answer = (parts.status, parts.headers, body).into_response();
        if stands_by { Err(Unanswered::Standby(Box::new(answer))) } else { Ok(answer) }
    }

    async fn read(&self, body: Incoming, headers: &HeaderMap) -> Result<Body, Unanswered> {
        let kind = headers.get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Ok(self.passed_on(body));
        }
        if body.size_hint().upper().is_none_or(|size| size > READ_WHOLE) {
            return Ok(Body::new(body));
        }
        let read = body.collect().await.map_err(|error| Unanswered::Broken(error.into()))?;
        Ok(Body::from(read.to_bytes()))
    }
}
