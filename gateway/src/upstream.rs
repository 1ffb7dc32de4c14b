//! A service behind the gateway, in one or several processes, and what becomes of a request that is handed on to it.
//!
//! What is known of the processes comes from [`watching`](crate::watching) them, never from how long a request takes.
//! **Invariant:** a request is sent a second time only where that can't do anything twice: a read, a command with its key,
//! or one that never left.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;
use serde_json::Value;
use service_kit::http::STANDBY;
use service_kit::problem::{Code, Problem};
use service_kit::trace;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a request waits for a process that stands by to take over: the four seconds of a lease, and a start.
const TAKEOVER_WITHIN: Duration = Duration::from_secs(8);
/// How long it waits at least before all are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Headers that are about one connection, not about the request.
const OF_ONE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// One service.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: &'static str,
    /// Where its processes are.
    pub(crate) bases: Vec<String>,
    /// What each of them is, as far as is known.
    pub(crate) states: watch::Sender<Vec<State>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    pub(crate) client: Client,
    deadline: Duration,
    takeover_within: Duration,
}

/// What a process is, as far as is known: who may be asked first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It does what it is for.
    Ready,
    /// Nobody asked it yet.
    Unknown,
    /// It says at once that another does.
    StandsBy,
    /// It is there, and something that it needs is not.
    NotReady,
    /// It was ready, and did not answer in time once.
    Late,
    /// It is not there.
    Away,
    /// It does not answer, as one that is paused: a request may hang there.
    Silent,
}

/// What goes on to it.
#[derive(Clone)]
pub(crate) struct Handed {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why a process did not take a request.
enum NotTaken {
    /// Another process is the active one.
    Standby(Response),
    /// While it was asked it turned out not to be ready, and another is.
    Outlived,
    Away(reqwest::Error),
}

impl Handed {
    fn is_command(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// Whether it may be sent again though it may have been carried out.
    fn may_repeat(&self) -> bool {
        !self.is_command() || self.headers.contains_key("idempotency-key")
    }
}

impl Upstream {
    /// No request is under way for longer than the deadline.
    pub(crate) fn new(
        name: &'static str,
        bases: Vec<String>,
        client: Client,
        deadline: Duration,
    ) -> Self {
        let states = watch::Sender::new(vec![State::Unknown; bases.len()]);
        let (turn, takeover_within) = (AtomicUsize::new(0), TAKEOVER_WITHIN);
        Self { name, bases, states, turn, client, deadline, takeover_within }
    }

    /// Hands a request on and its answer back. Where a process is away or stands by, the next one is asked; and where one
    /// turns out to be while the request is there, the request goes to another that is ready. Where nobody took it and one
    /// stands by, it waits until that one has taken over.
    pub(crate) async fn hand_on(&self, request: Handed) -> Response {
        self.hand_on_within(request, self.deadline).await
    }

    async fn hand_on_within(&self, request: Handed, deadline: Duration) -> Response {
        let ends = Instant::now() + deadline;
        let taken_over_by = ends.min(Instant::now() + self.takeover_within);
        // What may have been carried out is not covered up by another that is merely away.
        let mut unknown = None;
        loop {
            let last = match self.ask_all(&request, ends, &mut unknown).await {
                Ok(answer) => return answer,
                Err(last) => last,
            };
            if !self.is_taken_over(taken_over_by).await {
                let nobody = || Problem::from(Code::Unavailable).retry_after(1).into_response();
                return unknown.or(last).unwrap_or_else(nobody);
            }
        }
    }

    /// The answer of the first that takes a request; if nobody does, what the last one said. `unknown` is what is to be said
    /// of a request that may have been carried out and may be sent again.
    async fn ask_all(
        &self,
        request: &Handed,
        ends: Instant,
        unknown: &mut Option<Response>,
    ) -> Result<Response, Option<Response>> {
        let mut last = None;
        let mut order = self.in_turn();
        while let Some(process) = order.pop_front() {
            let asked = tokio::select! {
                biased;
                asked = self.ask(process, request.clone(), ends) => asked,
                () = self.outlived(process), if request.may_repeat() => Err(NotTaken::Outlived),
            };
            match asked {
                Ok(answer) if unknown.is_some() && is_unavailable(&answer) => last = Some(answer),
                Ok(answer) => return Ok(answer),
                Err(NotTaken::Standby(answer)) => {
                    self.is_now(process, State::StandsBy);
                    last = Some(answer);
                }
                Err(NotTaken::Outlived) => {
                    *unknown = Some(self.unanswered(request.is_command()).into_response());
                    // Also who stood by before: it may have taken over.
                    order = self.in_turn();
                    order.retain(|other| *other != process);
                }
                Err(NotTaken::Away(error)) => {
                    tracing::debug!(upstream = self.name, %error, "a request was not answered");
                    // What never left is not carried out; of the rest only a repeat under the same key tells.
                    let may_be_done = request.is_command() && !error.is_connect();
                    let answer = self.unanswered(may_be_done).into_response();
                    if !error.is_timeout() || error.is_connect() {
                        self.is_now(process, State::Away);
                    }
                    if error.is_connect() {
                        last = last.or(Some(answer));
                    } else if request.may_repeat() && !error.is_timeout() {
                        *unknown = Some(answer);
                    } else {
                        return Ok(answer);
                    }
                }
            }
        }
        Err(last)
    }

    /// Whether a process is ready in time, after nobody took a request; there has to be one that stands by.
    async fn is_taken_over(&self, by: Instant) -> bool {
        let mut states = self.states.subscribe();
        let may_be = states.borrow().contains(&State::StandsBy);
        if !may_be || Instant::now() + ASK_AGAIN >= by {
            return false;
        }
        tokio::time::sleep(ASK_AGAIN).await;
        let is_ready = states.wait_for(|states| states.contains(&State::Ready));
        matches!(tokio::time::timeout_at(by, is_ready).await, Ok(Ok(_)))
    }

    /// Every process once: those that are ready before the others, each time another first.
    fn in_turn(&self) -> VecDeque<usize> {
        let count = self.bases.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let mut order: Vec<usize> = (turn..count).chain(0..turn).collect();
        let states = self.states.borrow();
        order.sort_by_key(|process| states[*process]);
        order.into()
    }

    /// Returns when this process is not ready, and another is.
    async fn outlived(&self, process: usize) {
        let mut states = self.states.subscribe();
        let outlived =
            |states: &Vec<State>| states[process] != State::Ready && states.contains(&State::Ready);
        // Whoever tells of them lives as long as this.
        drop(states.wait_for(outlived).await);
    }

    /// Keeps what was heard of a process; true when it is news.
    pub(crate) fn is_now(&self, process: usize, state: State) -> bool {
        self.states
            .send_if_modified(|states| std::mem::replace(&mut states[process], state) != state)
    }

    async fn ask(
        &self,
        process: usize,
        request: Handed,
        ends: Instant,
    ) -> Result<Response, NotTaken> {
        let Handed { method, uri, headers, body } = request;
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let url = format!("{}{path}", self.bases[process]);
        let span = trace::client_span(&method, self.name);
        let mut headers = passed_on(&headers);
        trace::inject(&span, &mut headers);
        let asked = self.client.request(method, url).headers(headers).body(body);
        let sent = asked.timeout(ends.saturating_duration_since(Instant::now())).send();
        let sent = sent.instrument(span.clone()).await.inspect_err(|_| {
            span.record("otel.status_code", "ERROR");
        });
        let answer = sent.map_err(NotTaken::Away)?;
        trace::answered(&span, answer.status().as_u16(), answer.status().is_server_error());
        let (status, headers) = (answer.status(), passed_on(answer.headers()));
        let body = answer.bytes().await.map_err(NotTaken::Away)?;
        let stands_by = status == StatusCode::SERVICE_UNAVAILABLE && headers.contains_key(STANDBY);
        let answer = (status, headers, Body::from(body)).into_response();
        if stands_by { Err(NotTaken::Standby(answer)) } else { Ok(answer) }
    }

    /// Reads from a process that answers with JSON within this time, if there is one.
    pub(crate) async fn get_json(&self, path: &'static str, within: Duration) -> Option<Value> {
        let (method, uri) = (Method::GET, Uri::from_static(path));
        let request = Handed { method, uri, headers: HeaderMap::new(), body: Bytes::new() };
        let answer = self.hand_on_within(request, within).await;
        if !answer.status().is_success() {
            return None;
        }
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    fn unanswered(&self, may_be_done: bool) -> Problem {
        let code = if may_be_done { Code::OutcomeUnknown } else { Code::Unavailable };
        Problem::from(code).detail(format!("{} does not answer", self.name)).retry_after(1)
    }
}

/// The client of all upstreams; no answer takes longer than this.
pub fn client(deadline: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN.min(deadline))
        .timeout(deadline)
        .build()
}

fn is_unavailable(answer: &Response) -> bool {
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in &OF_ONE_CONNECTION {
        passed.remove(name);
    }
    passed
}

#[cfg(test)]
mod tests;
