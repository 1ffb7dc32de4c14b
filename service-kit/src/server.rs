//! Connections: taken, served and ended.
//!
//! **Invariant:** whoever sends slowly, or nothing, holds one connection and only for a time; nobody holds more than half of all. After
//! the signal no new request is begun, and it ends when the last one is answered.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt as _};

/// How connections are bounded.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// Connections at the same time. From one address half of them.
    pub most_connections: usize,
    /// How long the head of a request may take; so also how long a connection is kept that nobody uses.
    pub head_within: Duration,
    /// The largest head of a request, bytes.
    pub most_head_bytes: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            most_connections: 10_000,
            head_within: Duration::from_secs(30),
            most_head_bytes: 64 * 1024,
        }
    }
}

/// How long to wait after a connection could not be taken, as when there are no more file handles.
const BREATHER: Duration = Duration::from_millis(100);

/// Serves until `draining`, and then until every request under way is answered.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    settings: ServerSettings,
    draining: CancellationToken,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(settings.most_connections));
    let addresses = Addresses::default();
    let connections = TaskTracker::new();
    loop {
        let place = Arc::clone(&room).acquire_owned();
        let taken = draining.run_until_cancelled(async { (place.await, listener.accept().await) });
        let Some((place, accepted)) = taken.await else { break };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                unless_it_is_gone(&error).await;
                continue;
            }
        };
        let Some(counted) = addresses.count(peer.ip(), settings.most_connections.div_ceil(2))
        else {
            metrics::counter!("http_server_connections_refused_total").increment(1);
            continue;
        };
        let (service, draining) = (service.clone(), draining.clone());
        connections.spawn(async move {
            let _held = (place, counted);
            connection(stream, peer, service, settings, draining).await;
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection<S>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    settings: ServerSettings,
    draining: CancellationToken,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Answers are small and waited for.
    drop(stream.set_nodelay(true));
    let service =
        service.map_request(move |request: axum::http::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(settings.head_within);
    http.max_buf_size(settings.most_head_bytes);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = draining.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

/// A connection that broke before it was taken is nobody's matter; else there is time for others to end.
async fn unless_it_is_gone(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection can't be taken");
        tokio::time::sleep(BREATHER).await;
    }
}

/// How many connections there are from each address that has any.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
struct Counted {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    /// One more, unless there are as many as there may be. The loopback is whoever stands before us.
    fn count(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let most = if address.to_canonical().is_loopback() { usize::MAX } else { most };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted { addresses: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    const QUICK: ServerSettings = ServerSettings {
        most_connections: 4,
        head_within: Duration::from_millis(200),
        most_head_bytes: 8 * 1024,
    };

    async fn served(router: Router, draining: CancellationToken) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, QUICK, draining));
        address
    }

    /// All that is answered to these bytes, until the connection is closed.
    async fn said(address: SocketAddr, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is reset has said what it had to say.
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn who_sends_no_whole_head_loses_the_connection_and_holds_up_nobody() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let address = served(router, CancellationToken::new()).await;
        // As many as there is room for: the next one waits until they are thrown out.
        let slow = ["GET / HTTP/1.1\r\nhost: a\r\n", "G", "", "GET / HTTP/1.1\r\nx: "];
        let slow =
            slow.map(|sent| tokio::spawn(async move { said(address, sent.as_bytes()).await }));
        let whole = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        assert!(said(address, whole).await.ends_with("here"));
        for slow in slow {
            assert!(!slow.await.unwrap().contains("200 OK"));
        }
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let address = served(Router::new(), CancellationToken::new()).await;
        let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(20_000));
        let answer = said(address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn what_is_under_way_is_answered_after_the_signal_and_then_nothing() {
        let (begun, goes_on) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (told, waits) = (Arc::clone(&begun), Arc::clone(&goes_on));
        let slow = async move || {
            told.notify_one();
            waits.notified().await;
            "done"
        };
        let draining = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(slow));
        let server = tokio::spawn(serve(listener, router, QUICK, draining.clone()));
        let asked = tokio::spawn(said(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        begun.notified().await;
        draining.cancel();
        goes_on.notify_one();
        assert!(asked.await.unwrap().ends_with("done"));
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[test]
    fn nobody_has_more_than_their_part_of_the_connections_but_who_is_here() {
        let (addresses, other) = (Addresses::default(), "192.0.2.1".parse().unwrap());
        let first = addresses.count(other, 1);
        assert!(first.is_some() && addresses.count(other, 1).is_none());
        drop(first);
        assert!(addresses.count(other, 1).is_some());
        let here = "127.0.0.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| addresses.count(here, 1)).collect();
        assert!(held.iter().all(Option::is_some));
        drop(held);
        assert!(addresses.0.lock().unwrap().is_empty());
    }
}
