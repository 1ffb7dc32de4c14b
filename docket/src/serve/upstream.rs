//! A service behind the gateway, and what becomes of a request that is handed on to it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;
use service_kit::problem::{Code, Problem};

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
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    name: &'static str,
    base: String,
    client: Client,
}

/// What goes on to it.
pub(super) struct Handed {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: axum::body::Bytes,
}

impl Upstream {
    pub(super) fn new(name: &'static str, base: String, client: Client) -> Self {
        Self { name, base, client }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Hands a request on and its answer back.
    pub(super) async fn hand_on(&self, request: Handed) -> Response {
        let Handed { method, uri, headers, body } = request;
        let path = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
        let url = format!("{}{path}", self.base);
        let is_command = method != Method::GET && method != Method::HEAD;
        let sent = self.client.request(method, url).headers(passed_on(&headers)).body(body).send();
        let answer = match sent.await {
            Ok(answer) => answer,
            Err(error) => return self.away(&error, is_command).into_response(),
        };
        let (status, headers) = (answer.status(), passed_on(answer.headers()));
        match answer.bytes().await {
            Ok(body) => (status, headers, Body::from(body)).into_response(),
            Err(error) => self.away(&error, is_command).into_response(),
        }
    }

    /// Whether it says that it is ready.
    pub(super) async fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("{}/health/ready", self.base));
        let asked = asked.timeout(CONNECT_WITHIN).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
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
