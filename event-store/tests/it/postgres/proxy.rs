//! A TCP proxy that can fall silent: it keeps every connection open and forwards nothing, as a network does that lost its
//! way. What it holds back while silent is lost.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwards {
    Everything,
    /// Requests arrive, answers don't.
    Requests,
    Nothing,
}

/// The proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    port: u16,
    forwards: watch::Sender<Forwards>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Forwards a free port to this one.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let forwards = watch::Sender::new(Forwards::Everything);
        let state = Arc::new(forwards.subscribe());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        pump(from_client, to_server, &state, |now| now != Forwards::Nothing),
                        pump(from_server, to_client, &state, |now| now == Forwards::Everything),
                    );
                });
            }
        });
        Self { port, forwards, _tasks: tasks }
    }

    /// The address of a database, by way of the proxy.
    pub(crate) fn url(&self, url: &str, server: u16) -> String {
        url.replace(&format!(":{server}/"), &format!(":{}/", self.port))
    }

    pub(crate) fn set(&self, forwards: Forwards) {
        self.forwards.send_replace(forwards);
    }
}

/// Forwards one direction. Once something was held back, the connection stays silent for ever: it is half open.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &watch::Receiver<Forwards>,
    passes: impl Fn(Forwards) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut silent = false;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        silent |= !passes(*state.borrow());
        if !silent && to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    if !silent {
        let _ = to.shutdown().await;
    }
}
