//! The HTTP client of all upstreams, and the address of a process.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use axum::http::{Request, Response, Uri};
use futures::StreamExt as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use service_kit::tls::ClientConfig;
use tokio_util::sync::CancellationToken;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection is kept that nobody uses.
const KEPT_IDLE: Duration = Duration::from_secs(30);

/// Asks processes over HTTP. Cheap to clone.
///
/// Plain hyper, because it stands on the way of every request: no redirects are followed, no cookies kept, no proxies asked.
#[derive(Debug, Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Ends what has no end of its own.
    ends: CancellationToken,
}

impl Client {
    /// One whose connections are made within this time, and within a second; with TLS where an address says so.
    pub fn new(deadline: Duration, tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_WITHIN.min(deadline)));
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = connector.https_or_http().enable_http1().wrap_connector(http);
        let mut pool = Pool::builder(TokioExecutor::new());
        pool.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT_IDLE);
        Self { pool: pool.build(connector), ends: CancellationToken::new() }
    }

    /// One that nobody has to believe.
    #[cfg(test)]
    pub(crate) fn in_clear(deadline: Duration) -> Self {
        use service_kit::tls::{ClientTlsFiles, Trust, client_config};
        Self::new(deadline, client_config(&ClientTlsFiles::default(), Trust::Named).unwrap())
    }

    /// Ends every stream of events that is passed on, and those that come: whoever follows one asks another gateway.
    pub fn end_streams(&self) {
        self.ends.cancel();
    }

    /// A stream of events, as long as streams are passed on.
    pub(super) fn passed_on(&self, events: Incoming) -> Body {
        let ends = self.ends.clone().cancelled_owned();
        Body::from_stream(Body::new(events).into_data_stream().take_until(ends))
    }

    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Error> {
        self.pool.request(request).await
    }
}

/// Where a process is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Base {
    scheme: Scheme,
    authority: Authority,
    /// What stands before every path; mostly nothing.
    below: String,
}

impl Ord for Base {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(&other.name())
    }
}

impl PartialOrd for Base {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is no address of a process.
#[derive(Debug, thiserror::Error)]
pub enum NoBase {
    /// It can't be read.
    #[error("it is no URL")]
    Unreadable(#[from] InvalidUri),
    /// It names no host, or how to talk to it.
    #[error("it names no host with http or https before it")]
    NoHost,
}

impl std::str::FromStr for Base {
    type Err = NoBase;

    fn from_str(text: &str) -> Result<Self, NoBase> {
        let parts = text.trim_end_matches('/').parse::<Uri>()?.into_parts();
        let scheme = parts.scheme.filter(|it| *it == Scheme::HTTP || *it == Scheme::HTTPS);
        let (Some(scheme), Some(authority)) = (scheme, parts.authority) else {
            return Err(NoBase::NoHost);
        };
        let below = parts.path_and_query.map_or(String::new(), |below| below.path().to_owned());
        Ok(Self { scheme, authority, below: below.trim_end_matches('/').to_owned() })
    }
}

impl Base {
    /// The address of a path of it.
    pub(super) fn uri(&self, path: PathAndQuery) -> Result<Uri, axum::http::Error> {
        let path = if self.below.is_empty() {
            path
        } else {
            PathAndQuery::try_from(format!("{}{path}", self.below))?
        };
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        uri.path_and_query(path).build()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Its host, as it is looked up.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// The same at one address of its host.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        // An address is an authority.
        let authority = Authority::try_from(address.to_string());
        let authority = authority.unwrap_or_else(|_| self.authority.clone());
        Self { authority, ..self.clone() }
    }

    /// How it is called where everybody may read it: without who logs in there.
    pub(crate) fn name(&self) -> String {
        let host = self.authority.as_str();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        format!("{}://{host}{}", self.scheme, self.below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_and_shows_no_password() {
        let uri = |base: &str, path: &'static str| {
            let base: Base = base.parse().unwrap();
            (base.uri(PathAndQuery::from_static(path)).unwrap().to_string(), base.name())
        };
        let (at, name) = uri("http://a:8081", "/v1/orders?limit=1");
        assert_eq!(
            (at.as_str(), name.as_str()),
            ("http://a:8081/v1/orders?limit=1", "http://a:8081")
        );
        let (at, name) = uri("https://shop:geheim@a/below/", "/v1/orders");
        assert_eq!(at, "https://shop:geheim@a/below/v1/orders");
        assert_eq!(name, "https://a/below");
        for wrong in ["", "a:8081", "ftp://a", "/v1"] {
            assert!(wrong.parse::<Base>().is_err(), "{wrong}");
        }
    }
}
