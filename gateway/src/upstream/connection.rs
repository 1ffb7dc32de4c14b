//! One connection to a process. It has no task of its own: whoever has a request on it drives it, so that nobody else is woken
//! on the way of a request.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use axum::body::Bytes;
use axum::http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What is sent.
pub(super) type Outgoing = Request<Full<Bytes>>;
type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A connection on which one request is at a time.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    driven: Box<http1::Connection<Socket, Full<Bytes>>>,
    /// There is nothing left to drive.
    ended: bool,
}

impl Connection {
    /// Speaks HTTP over this.
    pub(super) async fn over(socket: Socket) -> hyper::Result<Self> {
        let (requests, driven) = http1::handshake(socket).await?;
        Ok(Self { requests, driven: Box::new(driven), ended: false })
    }

    /// Sends a request, and waits for the head of its answer. What did not leave comes back with the error.
    pub(super) async fn ask(
        &mut self,
        request: Outgoing,
    ) -> Result<Response<Incoming>, TrySendError<Outgoing>> {
        let answer = self.requests.try_send_request(request);
        drive(&mut self.driven, &mut self.ended, answer).await
    }

    /// What is awaited, which comes over this connection.
    pub(super) async fn driving<F: Future>(&mut self, awaited: F) -> F::Output {
        drive(&mut self.driven, &mut self.ended, awaited).await
    }

    /// Whether it can take another request now, as far as it is heard at once.
    pub(super) async fn is_free(&mut self) -> bool {
        self.driving(std::future::ready(())).await;
        !self.ended && self.requests.is_ready()
    }

    /// Returns when the answer that comes over it was taken to its end: whether it can take another request.
    pub(super) async fn is_freed(&mut self) -> bool {
        let freed = self.requests.ready();
        drive(&mut self.driven, &mut self.ended, freed).await.is_ok() && !self.ended
    }
}

/// Drives the connection first: what it hears is told in the same moment.
async fn drive<F: Future>(
    driven: &mut http1::Connection<Socket, Full<Bytes>>,
    ended: &mut bool,
    awaited: F,
) -> F::Output {
    let mut awaited = pin!(awaited);
    poll_fn(|context| {
        // How it ended is told to whoever waits for an answer.
        *ended = *ended || Pin::new(&mut *driven).poll(context).is_ready();
        awaited.as_mut().poll(context)
    })
    .await
}
