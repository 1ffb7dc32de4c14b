//! A service behind the gateway, in one or several processes, and what becomes of a request that is handed on to it.
//!
//! What is known of the processes comes from [`watching`](super::watching) them, never from how long a request takes.
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
use service_kit::problem::{Code, Problem};
use service_kit::trace;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::process::STANDBY;
use crate::api::base_url;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

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
pub(super) struct Upstream {
    pub(super) name: &'static str,
    /// Where its processes are.
    pub(super) bases: Vec<String>,
    /// What each of them is, as far as is known.
    pub(super) states: watch::Sender<Vec<State>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    pub(super) client: Client,
    deadline: Duration,
}

/// What a process is, as far as is known: who may be asked first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
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
pub(super) struct Handed {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
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
    pub(super) fn new(
        name: &'static str,
        bases: Vec<String>,
        client: Client,
        deadline: Duration,
    ) -> Self {
        let states = watch::Sender::new(vec![State::Unknown; bases.len()]);
        Self { name, bases, states, turn: AtomicUsize::new(0), client, deadline }
    }

    /// Hands a request on and its answer back. Where a process is away or stands by, the next one is asked; and where one
    /// turns out to be while the request is there, the request goes to another that is ready.
    pub(super) async fn hand_on(&self, request: Handed) -> Response {
        self.hand_on_within(request, self.deadline).await
    }

    async fn hand_on_within(&self, request: Handed, deadline: Duration) -> Response {
        let ends = Instant::now() + deadline;
        // What may have been carried out is not covered up by another that is merely away.
        let (mut unknown, mut last) = (None, None);
        let mut order = self.in_turn();
        while let Some(process) = order.pop_front() {
            let asked = tokio::select! {
                biased;
                asked = self.ask(process, request.clone(), ends) => asked,
                () = self.outlived(process), if request.may_repeat() => Err(NotTaken::Outlived),
            };
            match asked {
                Ok(answer) if unknown.is_some() && is_unavailable(&answer) => last = Some(answer),
                Ok(answer) => return answer,
                Err(NotTaken::Standby(answer)) => {
                    self.is_now(process, State::StandsBy);
                    last = Some(answer);
                }
                Err(NotTaken::Outlived) => {
                    unknown = Some(self.unanswered(request.is_command()).into_response());
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
                        unknown = Some(answer);
                    } else {
                        return answer;
                    }
                }
            }
        }
        let nobody = || Problem::from(Code::Unavailable).retry_after(1).into_response();
        unknown.or(last).unwrap_or_else(nobody)
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
    pub(super) fn is_now(&self, process: usize, state: State) -> bool {
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
    pub(super) async fn get_json(&self, path: &'static str, within: Duration) -> Option<Value> {
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
pub(super) fn client(deadline: Duration) -> reqwest::Result<Client> {
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

/// Reads an address of an upstream.
pub(super) fn upstream_url(text: &str) -> Result<String, String> {
    base_url(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::http::HeaderValue;
    use axum::routing::any;
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;

    /// A process that answers so; its address.
    async fn process(name: &'static str, standby: bool) -> String {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let standby = standby.then(|| (unavailable, [(STANDBY, "1")], name).into_response());
        answering(standby.unwrap_or_else(|| name.into_response())).await
    }

    /// The address of one that always gives this answer.
    async fn answering(answer: Response) -> String {
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = async move || Response::from_parts(parts.clone(), Body::from(body.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// The address of nobody.
    async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// The address of one who hangs up before it answers.
    async fn hangs_up() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        format!("http://{address}")
    }

    fn upstream(bases: Vec<String>) -> Upstream {
        let deadline = Duration::from_mins(1);
        Upstream::new("service", bases, client(deadline).unwrap(), deadline)
    }

    async fn asked(bases: Vec<String>, method: Method, key: bool) -> (u16, String) {
        handed_on(&upstream(bases), method, key).await
    }

    async fn handed_on(upstream: &Upstream, method: Method, key: bool) -> (u16, String) {
        let mut headers = HeaderMap::new();
        if key {
            headers.insert("idempotency-key", HeaderValue::from_static("k"));
        }
        let uri = Uri::from_static("/v1/orders");
        let answer = upstream.hand_on(Handed { method, uri, headers, body: Bytes::new() }).await;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn one_that_stands_by_or_is_away_is_passed_over_and_reads_go_round() {
        let active = process("active", false).await;
        let bases = vec![nobody().await, process("standby", true).await, active.clone()];
        for method in [Method::GET, Method::POST] {
            assert_eq!(asked(bases.clone(), method, true).await, (200, "active".to_owned()));
        }
        let upstream = upstream(vec![active, "http://b".to_owned()]);
        let first = |upstream: &Upstream| upstream.in_turn()[0];
        assert_ne!(first(&upstream), first(&upstream));
        for better in [State::Ready, State::Unknown, State::StandsBy, State::NotReady, State::Late]
        {
            upstream.is_now(0, State::Silent);
            upstream.is_now(1, better);
            assert_eq!((first(&upstream), first(&upstream)), (1, 1), "{better:?}");
        }
    }

    #[tokio::test]
    async fn when_all_stand_by_their_503_is_the_answer() {
        let bases = vec![process("one", true).await, nobody().await];
        let (status, _) = asked(bases, Method::GET, false).await;
        assert_eq!(status, 503);
    }

    #[tokio::test]
    async fn only_what_does_nothing_twice_is_sent_again_after_it_may_have_been_carried_out() {
        let bases = async || vec![hangs_up().await, process("other", false).await];
        assert_eq!(asked(bases().await, Method::GET, false).await, (200, "other".to_owned()));
        assert_eq!(asked(bases().await, Method::POST, true).await, (200, "other".to_owned()));
        let (status, body) = asked(bases().await, Method::POST, false).await;
        assert!(status == 503 && body.contains("outcome_unknown"), "{status} {body}");
    }

    #[tokio::test]
    async fn what_may_have_been_carried_out_is_never_said_to_be_merely_away() {
        let away = (StatusCode::SERVICE_UNAVAILABLE, "its database is away");
        for bases in [
            vec![hangs_up().await, process("standby", true).await],
            vec![hangs_up().await, nobody().await],
            vec![hangs_up().await, answering(away.into_response()).await],
        ] {
            let (_, body) = asked(bases, Method::POST, true).await;
            assert!(body.contains("outcome_unknown"), "{body}");
        }
    }

    /// One who takes requests and never answers, as one that is paused: its address, and who hears of each that it took.
    async fn silent() -> (String, Arc<Notify>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Notify>::default();
        let tells = Arc::clone(&taken);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(connection) = listener.accept().await {
                held.push(connection);
                tells.notify_one();
            }
        });
        (format!("http://{address}"), taken)
    }

    /// Hands a request on; when it has been taken, `known` happens. What it is answered, or nothing when it `stays`.
    async fn while_held(
        upstream: &Upstream,
        (method, key, stays): (Method, bool, bool),
        taken: &Notify,
        known: impl FnOnce(),
    ) -> Option<(u16, String)> {
        let mut handed = std::pin::pin!(handed_on(upstream, method, key));
        tokio::select! {
            answer = &mut handed => panic!("it is not held: {answer:?}"),
            () = taken.notified() => known(),
        }
        if stays {
            return tokio::time::timeout(Duration::from_millis(200), handed).await.ok();
        }
        Some(handed.await)
    }

    #[tokio::test]
    async fn what_hangs_at_one_that_turns_out_silent_goes_to_the_next_when_that_is_ready() {
        for (method, key) in [(Method::GET, false), (Method::POST, true), (Method::POST, false)] {
            let (first, taken) = silent().await;
            let upstream = upstream(vec![first, process("second", false).await]);
            upstream.is_now(0, State::Ready);
            upstream.is_now(1, State::StandsBy);
            let takeover = || {
                upstream.is_now(0, State::Late);
                upstream.is_now(1, State::Ready);
            };
            // A command without a key may be carried out where it is.
            let stays = method == Method::POST && !key;
            let asked = (method.clone(), key, stays);
            let answer = while_held(&upstream, asked, &taken, takeover).await;
            let moved = (!stays).then(|| (200, "second".to_owned()));
            assert_eq!(answer, moved, "{method} with a key: {key}");
        }
    }

    #[tokio::test]
    async fn one_that_stood_by_when_it_was_asked_is_asked_again_when_it_has_taken_over() {
        let (first, taken) = silent().await;
        let upstream = upstream(vec![first, process("second", true).await]);
        upstream.is_now(0, State::Silent);
        upstream.is_now(1, State::StandsBy);
        // It still says that it stands by: what hangs at the first may have been carried out there.
        let takeover = || assert!(upstream.is_now(1, State::Ready));
        let asked = (Method::POST, true, false);
        let (status, body) = while_held(&upstream, asked, &taken, takeover).await.unwrap();
        assert!(status == 503 && body.contains("outcome_unknown"), "{status} {body}");
        assert_eq!(upstream.states.borrow()[1], State::StandsBy);
    }

    #[tokio::test]
    async fn one_that_is_late_keeps_what_it_was_asked_while_nobody_else_is_ready() {
        let (first, taken) = silent().await;
        let upstream = upstream(vec![first, process("second", true).await]);
        upstream.is_now(0, State::Ready);
        let late = || assert!(upstream.is_now(0, State::Silent));
        let asked = (Method::GET, false, true);
        assert_eq!(while_held(&upstream, asked, &taken, late).await, None);
    }
}
