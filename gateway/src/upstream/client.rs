//! The HTTP client of all upstreams, and the address of a process.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::uri::{InvalidUri, PathAndQuery, Scheme};
use axum::http::{HeaderValue, Uri};
use futures::StreamExt as _;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use service_kit::tls::ClientConfig;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::connection::Connection;

/// How long connecting may take. Where many come at once, what asks for a connection is dropped, and sent again after a second: that is
/// waited for.
const CONNECT_WITHIN: Duration = Duration::from_millis(2_500);

/// Why there is no connection, or no answer over one.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks processes over HTTP. Cheap to clone.
///
/// Plain hyper, because it stands on the way of every request: no redirects are followed, no cookies kept, no proxies asked.
#[derive(Debug, Clone)]
pub struct Client {
    connector: HttpsConnector<HttpConnector>,
    /// Ends what has no end of its own.
    ends: CancellationToken,
}

impl Client {
    /// One whose connections are made within this time, and within [`CONNECT_WITHIN`]; with TLS where an address says so.
    pub fn new(deadline: Duration, tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_WITHIN.min(deadline)));
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = connector.https_or_http().enable_http1().wrap_connector(http);
        Self { connector, ends: CancellationToken::new() }
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

    /// A new connection to a process.
    pub(super) async fn connect(&self, base: &Base) -> Result<Connection, Failure> {
        let socket = self.connector.clone().oneshot(base.uri.clone()).await?;
        Ok(Connection::over(socket).await?)
    }
}

/// Where a process is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Base {
    /// Where to connect to; it has a scheme and a host, and no path.
    uri: Uri,
    /// The host as a request names it: without who logs in there.
    host: HeaderValue,
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
        Self::new(scheme, authority.as_str(), below.trim_end_matches('/').to_owned())
    }
}

impl Base {
    fn new(scheme: Scheme, authority: &str, below: String) -> Result<Self, NoBase> {
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (Ok(uri), Ok(host)) = (uri, HeaderValue::from_str(host)) else {
            return Err(NoBase::NoHost);
        };
        Ok(Self { uri, host, below })
    }

    /// What a request asks it for that asks us for this path.
    pub(super) fn path(&self, path: PathAndQuery) -> Result<Uri, InvalidUri> {
        if self.below.is_empty() {
            return Ok(path.into());
        }
        Ok(PathAndQuery::try_from(format!("{}{path}", self.below))?.into())
    }

    /// How a request names it.
    pub(super) fn host_header(&self) -> HeaderValue {
        self.host.clone()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Its host, as it is looked up.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// The same at one address of its host.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        let scheme = if self.is_https() { Scheme::HTTPS } else { Scheme::HTTP };
        // An address is a host.
        let at = Self::new(scheme, &address.to_string(), self.below.clone());
        at.unwrap_or_else(|_| self.clone())
    }

    /// How it is called where everybody may read it: without who logs in there.
    pub(crate) fn name(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        format!("{scheme}://{}{}", self.host.to_str().unwrap_or_default(), self.below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_and_shows_no_password() {
        let asked = |base: &str, path: &'static str| {
            let base: Base = base.parse().unwrap();
            let path = base.path(PathAndQuery::from_static(path)).unwrap().to_string();
            (path, base.name(), base.host_header().to_str().unwrap().to_owned())
        };
        let (path, name, host) = asked("http://a:8081", "/v1/orders?limit=1");
        assert_eq!([&*path, &*name, &*host], ["/v1/orders?limit=1", "http://a:8081", "a:8081"]);
        let (path, name, host) = asked("https://shop:geheim@a/below/", "/v1/orders");
        assert_eq!([&*path, &*name, &*host], ["/below/v1/orders", "https://a/below", "a"]);
        for wrong in ["", "a:8081", "ftp://a", "/v1"] {
            assert!(wrong.parse::<Base>().is_err(), "{wrong}");
        }
    }
}
