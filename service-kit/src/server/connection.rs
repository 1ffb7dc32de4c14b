//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tower::{Service, ServiceExt as _};

use super::encrypted::{Begun, begin};
use super::progress::Progress;
use super::{Ending, ServerSettings};
use crate::problem::{Code, Problem};
use crate::tls::ServerTls;

/// Serves what comes over it.
pub(super) async fn connection<S>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    (settings, tls): (ServerSettings, Option<ServerTls>),
    ending: Ending,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Answers are small and waited for.
    drop(stream.set_nodelay(true));
    let stream = Progress::new(stream, settings.taken_within);
    let http = Http { peer, settings, ending };
    let Some(tls) = tls else { return http.serve(stream, service, true).await };
    // Nobody has asked for anything yet whom an end would hurt.
    let begun = begin(stream, &tls, settings.handshake_within);
    match http.ending.draining.run_until_cancelled(begun).await.flatten() {
        Some(Begun::Tls(stream)) => http.serve(stream, service, true).await,
        Some(Begun::Clear(stream)) => http.serve(stream, speaks_tls(), false).await,
        None => {}
    }
}

/// What is said to whoever speaks HTTP in clear where TLS is spoken.
fn speaks_tls() -> Router {
    let said = || async {
        let said = "this address speaks TLS and nothing else: ask it with `https://`";
        Problem::from(Code::TlsRequired).detail(said).into_response()
    };
    crate::http::finish(Router::new().route("/", any(said)).route("/{*path}", any(said)))
}

/// How HTTP is spoken with somebody.
struct Http {
    peer: SocketAddr,
    settings: ServerSettings,
    ending: Ending,
}

impl Http {
    /// Answers requests: one after another, or one.
    async fn serve<T, S>(self, stream: T, service: S, again: bool)
    where
        T: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let Self { peer, settings, ending: Ending { announced, draining } } = self;
        let service =
            service.map_request(move |request: axum::http::Request<hyper::body::Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                request
            });
        let service = service.map_response(move |mut response: Response| {
            if announced.is_cancelled() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(settings.head_within);
        http.max_buf_size(settings.most_head_bytes).keep_alive(again);
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
}
