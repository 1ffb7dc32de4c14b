//! A request from its first moment to its last: its id, its span, how long it took, and what stands on its answer for that.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use tracing::{Instrument as _, Span};

use crate::http::{REQUEST_ID, UNMATCHED, durations, say_id};
use crate::problem::{Code, Problem};
use crate::trace;

/// A request that is being answered.
#[derive(Debug)]
pub struct Asked<'r> {
    id: String,
    method: Method,
    uri: Uri,
    route: Option<&'r str>,
    span: Span,
    begun: Instant,
}

impl<'r> Asked<'r> {
    /// One that came in just now, and by which route it is answered, if there is one for it.
    pub fn begin(head: &Parts, route: Option<&'r str>) -> Self {
        let span = span(head, route);
        let (id, begun) = (request_id(&head.headers), Instant::now());
        Self { id, method: head.method.clone(), uri: head.uri.clone(), route, span, begun }
    }

    /// Its id, as it stands in logs and problems.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its answer, also where that panics: with the id on it and in a problem's body. It is counted, and traced.
    ///
    /// No `async fn`: that would have room for what it is given, and again for awaiting it.
    pub fn answered_by(
        self,
        answer: impl Future<Output = Response>,
    ) -> impl Future<Output = Response> {
        let answer = AssertUnwindSafe(answer).catch_unwind().instrument(self.span.clone());
        answer.map(|answer| self.end(answer.unwrap_or_else(|panic| panicked(&*panic))))
    }

    fn end(self, mut response: Response) -> Response {
        let Self { id, method, uri, route, span, begun } = self;
        let status = response.status();
        trace::answered(&span, status.as_u16(), status.is_server_error());
        let problem = response.extensions_mut().remove::<Problem>();
        if let Some(error) = problem.as_ref().and_then(Problem::cause) {
            let (method, path) = (method.as_str(), uri.path());
            let _within = span.enter();
            tracing::error!(request_id = id, method, path, error, "a request failed");
        }
        durations(&method, route, status).record(begun.elapsed().as_secs_f64());
        if let Some(problem) = problem {
            *response.body_mut() = problem.body(Some(&id)).into();
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        say_id(&mut response, id);
        response
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Problem::from(Code::Internal)
        .caused_by(format!("a handler panicked: {message}"))
        .into_response()
}

/// The span of a request. Those of whoever watches the process have none: they come every second.
fn span(head: &Parts, route: Option<&str>) -> Span {
    match route {
        Some("/metrics" | "/health/live" | "/health/ready") => Span::none(),
        route => trace::server_span(&head.method, route.unwrap_or(UNMATCHED), &head.headers),
    }
}

/// The client's own id when it is short and plain, else one that we draw.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(draw_id, str::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "an id of a request names nothing that is stored")]
fn draw_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
