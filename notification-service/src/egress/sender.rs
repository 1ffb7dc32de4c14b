//! Sends one request to one address, and hears how it was taken.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response, Url};

use super::answered::Answered;
use super::names::Names;
use super::networks::{Networks, Reach, Refused};
use super::resolver::CheckedNames;
use super::unanswered::Unanswered;

/// Of an answer's body, at most so much is read: only to use the connection again.
const MOST_BODY: usize = 16 * 1024;
/// How long an answer's body may take. Its status is known by then.
const BODY_WITHIN: Duration = Duration::from_secs(1);
/// Connections that are kept to one host.
const KEPT_CONNECTIONS: usize = 2;
/// How long a connection is kept that nobody uses.
const KEPT_FOR: Duration = Duration::from_secs(20);

/// How requests go out.
#[derive(Debug, Clone)]
pub struct EgressSettings {
    /// Networks that may be reached though they are not public.
    pub networks: Networks,
    /// From the name to the answer's head, all of it.
    pub deadline: Duration,
    /// A file with further certificates (PEM) that vouch for receivers.
    pub authorities: Option<PathBuf>,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self { networks: Networks::default(), deadline: Duration::from_secs(15), authorities: None }
    }
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The file with certificates can't be read.
    #[error("the certificates of receivers can't be read")]
    Authorities(#[source] std::io::Error),
    /// It holds none, or they can't be used.
    #[error("there can be no client for receivers")]
    Client(#[source] reqwest::Error),
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender {
    /// For `https`.
    sealed: Client,
    /// For `http`.
    clear: Client,
    names: Arc<dyn Names>,
    networks: Arc<Networks>,
    deadline: Duration,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl Sender {
    /// Sends to whom the settings allow, by what these names say.
    pub(crate) fn new(
        settings: EgressSettings,
        names: Arc<dyn Names>,
    ) -> Result<Self, EgressError> {
        let networks = Arc::new(settings.networks);
        let mut certificates = Vec::new();
        if let Some(path) = &settings.authorities {
            let pem = std::fs::read(path).map_err(EgressError::Authorities)?;
            certificates = Certificate::from_pem_bundle(&pem).map_err(EgressError::Client)?;
        }
        let client = |reach| {
            let (names, networks) = (Arc::clone(&names), Arc::clone(&networks));
            let resolver = CheckedNames { names, networks, reach };
            let builder = bounded(settings.deadline).dns_resolver(Arc::new(resolver));
            let trusting = builder.tls_certs_merge(certificates.clone());
            trusting.build().map_err(EgressError::Client)
        };
        let (sealed, clear) = (client(Reach::Public)?, client(Reach::Listed)?);
        Ok(Self { sealed, clear, names, networks, deadline: settings.deadline })
    }

    /// Posts a body there. The deadline is over everything, the name's resolution included.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answered, Unanswered> {
        let sent = self.post_in_time(url, headers, body);
        let sent = tokio::time::timeout(self.deadline, sent).await;
        sent.unwrap_or(Err(Unanswered::Late(self.deadline)))
    }

    async fn post_in_time(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answered, Unanswered> {
        self.check_unresolved(url).map_err(Unanswered::Refused)?;
        let client = if url.scheme() == "https" { &self.sealed } else { &self.clear };
        let request = client.post(url.clone()).headers(headers).body(body);
        let sent = request.send().await;
        let response = sent.map_err(|error| Unanswered::of(&error, self.deadline))?;
        let answered = Answered {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
        };
        // What it says is nobody's business; a body that hangs takes nothing back.
        let _ = tokio::time::timeout(BODY_WITHIN, read_a_little(response)).await;
        Ok(answered)
    }

    /// Whether an address could be asked, as far as can be told now. A name that nobody knows yet may have an address later.
    pub(crate) async fn check(&self, url: &Url) -> Result<(), Refused> {
        self.check_unresolved(url)?;
        let Some(name) = url.domain() else { return Ok(()) };
        let asked = self.names.addresses(name.to_owned());
        let Ok(Ok(found)) = tokio::time::timeout(self.deadline, asked).await else { return Ok(()) };
        found.into_iter().try_for_each(|address| self.networks.check(address, reach(url)))
    }

    /// What is known without asking for any name. An address in a URL is connected to without being resolved; whatever form it has there,
    /// parsing the URL made it one.
    fn check_unresolved(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        literal.map_or_else(
            |_| self.networks.check_any(reach(url)),
            |address| self.networks.check(address, reach(url)),
        )
    }
}

fn reach(url: &Url) -> Reach {
    if url.scheme() == "https" { Reach::Public } else { Reach::Listed }
}

/// A client that follows nobody anywhere.
fn bounded(deadline: Duration) -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(deadline)
        .timeout(deadline)
        .pool_max_idle_per_host(KEPT_CONNECTIONS)
        .pool_idle_timeout(KEPT_FOR)
        .user_agent(concat!("Docket-Webhooks/", env!("CARGO_PKG_VERSION")))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER).map(HeaderValue::to_str)?.ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

async fn read_a_little(mut response: Response) {
    let mut read = 0;
    while read < MOST_BODY {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}
