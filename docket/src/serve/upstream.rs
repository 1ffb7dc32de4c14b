//! A service behind the gateway, in one or several processes, and what becomes of a request that is handed on to it.
//!
//! **Invariant:** a request is sent a second time only where that can't do anything twice: a read, a command with its key,
//! or one that never left.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;
use serde_json::Value;
use service_kit::problem::{Code, Problem};
use service_kit::trace;
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
    name: &'static str,
    processes: Vec<UpstreamProcess>,
    /// Whose turn it is.
    turn: AtomicUsize,
    client: Client,
}

/// One process of it.
#[derive(Debug)]
struct UpstreamProcess {
    base: String,
    /// What it said last.
    ready: AtomicBool,
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
    pub(super) fn new(name: &'static str, bases: Vec<String>, client: Client) -> Self {
        let process = |base| UpstreamProcess { base, ready: AtomicBool::new(false) };
        let processes = bases.into_iter().map(process).collect();
        Self { name, processes, turn: AtomicUsize::new(0), client }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Hands a request on and its answer back. Where a process is away or stands by, the next one is asked.
    pub(super) async fn hand_on(&self, request: Handed) -> Response {
        // What may have been carried out is not covered up by another that is merely away.
        let (mut unknown, mut last) = (None, None);
        for process in self.in_turn() {
            match self.ask(process, request.clone()).await {
                Ok(answer) if unknown.is_some() && is_unavailable(&answer) => last = Some(answer),
                Ok(answer) => return answer,
                Err(NotTaken::Standby(answer)) => last = Some(answer),
                Err(NotTaken::Away(error)) => {
                    process.ready.store(false, Ordering::Relaxed);
                    let answer = self.away(&error, request.is_command()).into_response();
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

    /// Every process once: those that said that they are ready before the others, each time another first.
    fn in_turn(&self) -> impl Iterator<Item = &UpstreamProcess> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.processes.len().max(1);
        let (before, from) = self.processes.split_at(turn);
        let mut processes: Vec<_> = from.iter().chain(before).collect();
        processes.sort_by_key(|process| !process.ready.load(Ordering::Relaxed));
        processes.into_iter()
    }

    async fn ask(&self, process: &UpstreamProcess, request: Handed) -> Result<Response, NotTaken> {
        let Handed { method, uri, headers, body } = request;
        let path = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
        let url = format!("{}{path}", process.base);
        let span = trace::client_span(&method, self.name);
        let mut headers = passed_on(&headers);
        trace::inject(&span, &mut headers);
        let sent = self.client.request(method, url).headers(headers).body(body).send();
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

    /// Reads from a process that answers with JSON, if there is one.
    pub(super) async fn get_json(&self, path: &'static str) -> Option<Value> {
        let (method, uri) = (Method::GET, Uri::from_static(path));
        let request = Handed { method, uri, headers: HeaderMap::new(), body: Bytes::new() };
        let answer = self.hand_on(request).await;
        if !answer.status().is_success() {
            return None;
        }
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// Asks every process whether it is ready; whether one is.
    pub(super) async fn is_ready(&self) -> bool {
        let asked = self.processes.iter().map(async |process| {
            let asked = self.client.get(format!("{}/health/ready", process.base));
            let asked = asked.timeout(CONNECT_WITHIN).send().await;
            let ready = asked.is_ok_and(|answer| answer.status().is_success());
            process.ready.store(ready, Ordering::Relaxed);
            ready
        });
        futures::future::join_all(asked).await.contains(&true)
    }

    fn away(&self, error: &reqwest::Error, is_command: bool) -> Problem {
        tracing::debug!(upstream = self.name, %error, "a request was not answered");
        // What never left is not carried out; of the rest only a repeat under the same key tells.
        let code = if is_command && !error.is_connect() {
            Code::OutcomeUnknown
        } else {
            Code::Unavailable
        };
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
    use axum::Router;
    use axum::http::HeaderValue;
    use axum::routing::any;
    use tokio::net::TcpListener;

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

    async fn asked(bases: Vec<String>, method: Method, key: bool) -> (u16, String) {
        let client = client(Duration::from_mins(1)).unwrap();
        let upstream = Upstream::new("service", bases, client);
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
        let client = client(Duration::from_mins(1)).unwrap();
        let upstream = Upstream::new("service", vec![active, "http://b".to_owned()], client);
        let first = |upstream: &Upstream| upstream.in_turn().next().unwrap().base.clone();
        assert_ne!(first(&upstream), first(&upstream));
        upstream.processes[1].ready.store(true, Ordering::Relaxed);
        assert_eq!((first(&upstream), first(&upstream)), ("http://b".into(), "http://b".into()));
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
}
