//! One request to one process, and its answer.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{self, HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use service_kit::http::STANDBY;
use service_kit::trace;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::client::{Client, Failure};
use super::connection::{Connection, Outgoing};
use super::handed::{Handed, of_the_request};
use super::instance::Instance;

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
    NoConnection(#[source] Failure),
    /// No connection in time. That did not leave either; and who is asked may be there, and have no room for one more.
    #[error("no connection in time: {0}")]
    NoRoom(#[source] Failure),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(Failure),
    /// It took too long.
    #[error("it took too long")]
    Late,
}

impl Unanswered {
    /// Whether the request left: what did not is not carried out.
    pub(super) fn left(&self) -> bool {
        !matches!(self, Self::NoConnection(_) | Self::NoRoom(_))
    }

    /// Whether nothing is learned from it of the process, where a request was given a `short` time or all that one may have: then those
    /// who watch it say how it does.
    pub(super) fn tells_nothing(&self, short: bool) -> bool {
        matches!(self, Self::NoRoom(_)) || short && matches!(self, Self::Late)
    }
}

impl Client {
    /// Asks one process until this moment.
    pub(super) async fn ask(
        &self,
        (instance, service): (&Instance, &'static str),
        request: &Handed,
        ends: Instant,
    ) -> Result<Response, Unanswered> {
        let span = trace::client_span(&request.method, service);
        let asked = tokio::time::timeout_at(ends, self.answer(instance, request, &span));
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
        instance: &Instance,
        path: &'static str,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        let span = tracing::Span::none();
        let answer = self.answer(instance, &Handed::get(path), &span).await?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::try_from(READ_WHOLE).unwrap_or(usize::MAX));
        Ok((parts.status, body.await.map_err(|error| Unanswered::Broken(error.into()))?))
    }

    async fn answer(
        &self,
        instance: &Instance,
        handed: &Handed,
        span: &tracing::Span,
    ) -> Result<Response, Unanswered> {
        let mut request = Request::new(Full::new(handed.body.clone()));
        *request.method_mut() = handed.method.clone();
        let path = instance.base.path(handed.path.clone());
        *request.uri_mut() = path.map_err(|error| Unanswered::Broken(error.into()))?;
        *request.headers_mut() = handed.headers.clone();
        request.headers_mut().insert(header::HOST, instance.base.host_header());
        trace::inject(span, request.headers_mut());
        let (answer, connection) = self.send(instance, request).await?;
        let (mut parts, body) = answer.into_parts();
        of_the_request(&mut parts.headers);
        let stands_by =
            parts.status == StatusCode::SERVICE_UNAVAILABLE && parts.headers.contains_key(STANDBY);
        let body = self.read(instance, connection, &parts.headers, body).await?;
        let mut answer = Response::new(body);
        *answer.status_mut() = parts.status;
        *answer.headers_mut() = parts.headers;
        if stands_by { Err(Unanswered::Standby(Box::new(answer))) } else { Ok(answer) }
    }

    /// The head of an answer, and the connection that its body comes over.
    async fn send(
        &self,
        instance: &Instance,
        mut request: Outgoing,
    ) -> Result<(http::Response<Incoming>, Connection), Unanswered> {
        while let Some(mut connection) = instance.kept.take().await {
            match connection.ask(request).await {
                Ok(answer) => return Ok((answer, connection)),
                // It was closed at that very moment, and nothing had left.
                Err(mut error) => match error.take_message() {
                    Some(back) => request = back,
                    None => return Err(Unanswered::Broken(error.into_error().into())),
                },
            }
        }
        // In a box: every request would have the room for it.
        let connection = Box::pin(self.connect(&instance.base)).await;
        let mut connection = connection.map_err(unconnected)?;
        let answer = connection.ask(request).await;
        let answer = answer.map_err(|error| Unanswered::Broken(error.into_error().into()))?;
        Ok((answer, connection))
    }

    async fn read(
        &self,
        instance: &Instance,
        mut connection: Connection,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Result<Body, Unanswered> {
        let kind = headers.get(header::CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_stream || body.size_hint().upper().is_none_or(|size| size > READ_WHOLE) {
            instance.kept.keep_when_freed(connection);
            return Ok(if is_stream { self.passed_on(body) } else { Body::new(body) });
        }
        let read = connection.driving(body.collect()).await;
        let read = read.map_err(|error| Unanswered::Broken(error.into()))?;
        if connection.is_free().await {
            instance.kept.keep(connection);
        }
        Ok(Body::from(read.to_bytes()))
    }
}

/// Why there is no connection: whoever is away refuses it or can't be found, and whoever has no room lets the time pass.
fn unconnected(failure: Failure) -> Unanswered {
    let mut causes = std::iter::successors(failure.source(), |cause| cause.source());
    let timed_out = causes.any(|cause| {
        let error = cause.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    });
    if timed_out { Unanswered::NoRoom(failure) } else { Unanswered::NoConnection(failure) }
}
