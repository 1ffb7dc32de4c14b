//! Connections: taken, served and ended.
//!
//! **Invariant:** whoever sends slowly, or nothing, or takes nothing of an answer, holds one connection and only for a time; nobody holds more than half of all. Once
//! it is to end no connection is kept that was used; once it takes nothing new, it ends when the last request is answered.

mod addresses;
mod connection;
mod encrypted;
mod progress;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::addresses::Addresses;
use self::connection::connection;
use crate::tls::ServerTls;

/// How connections are bounded.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// Connections at the same time. From one address half of them.
    pub most_connections: usize,
    /// How long a connection with TLS may take to begin.
    pub handshake_within: Duration,
    /// How long the head of a request may take; so also how long a connection is kept that nobody uses.
    pub head_within: Duration,
    /// How long a client may take nothing of an answer that waits to be taken. One to whom nothing is sent waits as long as it likes.
    pub taken_within: Duration,
    /// The largest head of a request, bytes: as much as each connection may hold without anybody having been asked who they are.
    pub most_head_bytes: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            most_connections: 10_000,
            handshake_within: Duration::from_secs(10),
            head_within: Duration::from_secs(30),
            taken_within: Duration::from_secs(30),
            most_head_bytes: 16 * 1024,
        }
    }
}

/// How it is told to end: first that it will, and later, when whoever asks it can have heard of it, that it takes nothing new.
///
/// A connection that nobody uses may not be closed at the first: a request may be on its way on it, and who sent it could not tell
/// whether that was read.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Every answer is the last one of its connection.
    pub announced: CancellationToken,
    /// No new request is begun.
    pub draining: CancellationToken,
}

/// How long to wait after a connection could not be taken, as when there are no more file handles.
const BREATHER: Duration = Duration::from_millis(100);

/// Serves until it is `draining`, and then until every request under way is answered. Where there is TLS, nothing else is spoken.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    settings: ServerSettings,
    tls: Option<ServerTls>,
    ending: Ending,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(settings.most_connections));
    let addresses = Addresses::default();
    let connections = TaskTracker::new();
    loop {
        let place = Arc::clone(&room).acquire_owned();
        let taken =
            ending.draining.run_until_cancelled(async { (place.await, listener.accept().await) });
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
        let (service, ending) = (service.clone(), ending.clone());
        let how = (settings, tls.clone());
        connections.spawn(async move {
            let _held = (place, counted);
            connection(stream, peer, service, how, ending).await;
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// A connection that broke before it was taken is nobody's matter; else there is time for others to end.
async fn unless_it_is_gone(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection can't be taken");
        tokio::time::sleep(BREATHER).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;
    use crate::problem::{Code, Problem};

    const QUICK: ServerSettings = ServerSettings {
        most_connections: 4,
        handshake_within: Duration::from_millis(200),
        head_within: Duration::from_millis(200),
        taken_within: Duration::from_millis(500),
        most_head_bytes: 8 * 1024,
    };

    async fn served(router: Router, ending: Ending) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, QUICK, None, ending));
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
        let address = served(router, Ending::default()).await;
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
    async fn who_is_refused_before_their_body_is_read_hears_so_and_the_connection_goes_on_or_says_that_it_does_not()
     {
        let refuse = || async { Problem::from(Code::Unauthenticated) };
        let router = Router::new().route("/", post(refuse).get(|| async { "welcome" }));
        let address = served(crate::http::finish(router), Ending::default()).await;
        let after = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let with = |length: usize, head: &str| {
            let body = " ".repeat(length);
            format!(
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{head}\r\n{body}{after}"
            )
        };
        let chunked = format!(
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n0\r\n\r\n{after}"
        );
        for sent in [with(20, ""), with(200_000, ""), chunked] {
            let said = said(address, sent.as_bytes()).await;
            assert!(said.starts_with("HTTP/1.1 401") && said.ends_with("welcome"), "{said}");
        }
        // Too much to be read, and a client that would send it only when it is told to.
        let large = 2 * crate::http::MAX_BODY_BYTES;
        let asks = with(20, "expect: 100-continue\r\n");
        let asks = asks.split_inclusive("\r\n\r\n").next().unwrap().to_owned();
        for sent in [with(large, ""), asks] {
            let said = said(address, sent.as_bytes()).await;
            assert!(
                said.starts_with("HTTP/1.1 401") && said.contains("connection: close"),
                "{said}"
            );
            assert!(!said.contains("welcome"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let address = served(Router::new(), Ending::default()).await;
        let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(20_000));
        let answer = said(address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn a_head_has_room_for_the_largest_token_and_not_for_much_more() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = ServerSettings::default();
        tokio::spawn(serve(listener, router, settings, None, Ending::default()));
        let head = |bytes| {
            let token = "x".repeat(bytes);
            format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {token}\r\n\r\n")
        };
        assert!(said(address, head(12_000).as_bytes()).await.ends_with("here"));
        let refused = said(address, head(17_000).as_bytes()).await;
        assert!(refused.starts_with("HTTP/1.1 431 "), "{refused}");
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_loses_the_connection_and_who_has_none_yet_does_not() {
        let large = || async { "x".repeat(100_000_000) };
        // Nothing to say for far longer than an answer may be left lying.
        let late = || async {
            tokio::time::sleep(QUICK.taken_within * 4).await;
            "late"
        };
        let router = Router::new().route("/large", get(large)).route("/late", get(late));
        let address = served(router, Ending::default()).await;
        let late = said(address, b"GET /late HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let late = tokio::spawn(late);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        tokio::time::sleep(QUICK.taken_within * 6).await;
        let mut taken = Vec::new();
        let broke = stream.read_to_end(&mut taken).await;
        assert!(taken.len() < 100_000_000, "{broke:?}: it was given all of it");
        assert!(late.await.unwrap().ends_with("late"));
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
        let ending = Ending::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(slow));
        let server = tokio::spawn(serve(listener, router, QUICK, None, ending.clone()));
        let asked = tokio::spawn(said(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        begun.notified().await;
        ending.draining.cancel();
        goes_on.notify_one();
        assert!(asked.await.unwrap().ends_with("done"));
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn from_the_signal_on_an_answer_is_the_last_of_its_connection_and_no_other_is_closed() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let ending = Ending::default();
        let address = served(router, ending.clone()).await;
        let ask = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut kept = TcpStream::connect(address).await.unwrap();
        kept.write_all(ask).await.unwrap();
        let mut first = [0; 512];
        let read = kept.read(&mut first).await.unwrap();
        let first = String::from_utf8_lossy(&first[..read]);
        assert!(first.ends_with("here") && !first.contains("connection: close"), "{first}");
        ending.announced.cancel();
        // What is sent by whoever has not heard of it: on a connection that was kept, and on a new one.
        kept.write_all(ask).await.unwrap();
        let mut last = String::new();
        kept.read_to_string(&mut last).await.unwrap();
        for answer in [last, said(address, ask).await] {
            assert!(answer.contains("connection: close") && answer.ends_with("here"), "{answer}");
        }
        ending.draining.cancel();
    }
}
