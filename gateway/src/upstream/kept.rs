//! The connections to one process that nobody uses at the moment.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::http::KEPT_CONNECTION;
use tokio::time::Instant;

use super::connection::Connection;

/// What was used last is used again first; what nobody used for a time is closed when another one comes back.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<VecDeque<(Connection, Instant)>>);

impl Kept {
    /// One that can take a request, if there is one. Those that turn out to be closed are gone.
    pub(super) async fn take(&self) -> Option<Connection> {
        loop {
            let (mut connection, _) = self.all().pop_back()?;
            if connection.is_free().await {
                return Some(connection);
            }
        }
    }

    /// Keeps one that may take another request.
    pub(super) fn keep(&self, connection: Connection) {
        let now = Instant::now();
        let mut all = self.all();
        let is_old = |(_, since): &(Connection, Instant)| now - *since > KEPT_CONNECTION;
        let old = all.partition_point(is_old);
        let closed: Vec<_> = all.drain(..old).collect();
        all.push_back((connection, now));
        drop(all);
        drop(closed);
    }

    /// Keeps one when the answer that comes over it was taken to its end by whoever has that.
    pub(super) fn keep_when_freed(self: &Arc<Self>, mut connection: Connection) {
        let kept = Arc::clone(self);
        tokio::spawn(async move {
            if connection.is_freed().await {
                kept.keep(connection);
            }
        });
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<(Connection, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use axum::http::{HeaderMap, Method};
    use axum::response::Response;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::super::client::Client;
    use super::super::handed::Handed;
    use super::super::instance::Instance;

    const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

    /// A process, and each connection to it when it was made.
    async fn process() -> (Instance, mpsc::UnboundedReceiver<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (sender, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                sender.send(stream).unwrap();
            }
        });
        (Instance::new(format!("http://{at}").parse().unwrap()), connections)
    }

    /// A command without a key, which may not leave twice.
    async fn ask(client: &Client, instance: &Instance) -> Response {
        let method = Method::POST;
        let command = Handed { method, headers: HeaderMap::new(), ..Handed::get("/v1/orders") };
        let ends = tokio::time::Instant::now() + Duration::from_secs(10);
        client.ask((instance, "service"), &command, ends).await.unwrap()
    }

    /// Reads a request, and answers.
    async fn answer(stream: &mut TcpStream, answer: &str) {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "it was closed");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    async fn text(answer: Response) -> Vec<u8> {
        to_bytes(Body::new(answer.into_body()), usize::MAX).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_one_that_was_closed_is_not() {
        let client = Client::in_clear(Duration::from_secs(10));
        let (instance, mut connections) = process().await;
        let serve = async {
            let mut first = connections.recv().await.unwrap();
            answer(&mut first, SHORT).await;
            answer(&mut first, SHORT).await;
            first
        };
        let asks = async {
            assert_eq!(text(ask(&client, &instance).await).await, b"ok");
            assert_eq!(text(ask(&client, &instance).await).await, b"ok");
        };
        let (first, ()) = tokio::join!(serve, asks);
        drop(first);
        // Until that is heard of here.
        while let Some(still) = instance.kept.take().await {
            instance.kept.keep(still);
            tokio::task::yield_now().await;
        }
        let serve = async {
            let mut second = connections.recv().await.unwrap();
            answer(
                &mut second,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
            )
            .await;
            drop(second);
            let mut third = connections.recv().await.unwrap();
            answer(&mut third, SHORT).await;
            third
        };
        let (_third, ()) = tokio::join!(serve, async {
            assert_eq!(text(ask(&client, &instance).await).await, b"ok");
            assert_eq!(text(ask(&client, &instance).await).await, b"ok");
        });
        assert!(connections.try_recv().is_err(), "it connected without a need");
    }

    #[tokio::test]
    async fn one_whose_answer_goes_on_is_used_again_when_that_was_taken() {
        let client = Client::in_clear(Duration::from_secs(10));
        let (instance, mut connections) = process().await;
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";
        let serve = async {
            let mut first = connections.recv().await.unwrap();
            answer(&mut first, head).await;
            first
        };
        let (mut first, long) = tokio::join!(serve, ask(&client, &instance));
        let serve = async {
            let mut second = connections.recv().await.unwrap();
            answer(&mut second, SHORT).await;
            second
        };
        let (_second, short) = tokio::join!(serve, ask(&client, &instance));
        assert_eq!(text(short).await, b"ok");
        first.write_all(b"2\r\n, \r\n0\r\n\r\n").await.unwrap();
        assert_eq!(text(long).await, b"ok, ");
        // Its task hears of it in a moment.
        while instance.kept.all().len() < 2 {
            tokio::task::yield_now().await;
        }
        let ((), short) = tokio::join!(answer(&mut first, SHORT), ask(&client, &instance));
        assert_eq!(text(short).await, b"ok");
        assert!(connections.try_recv().is_err(), "it connected without a need");
    }

    #[tokio::test]
    async fn what_nobody_used_for_a_time_is_closed_when_another_comes_back() {
        let client = Client::in_clear(Duration::from_secs(10));
        let (instance, mut connections) = process().await;
        let serve = async {
            let (mut one, mut other) =
                (connections.recv().await.unwrap(), connections.recv().await.unwrap());
            tokio::join!(answer(&mut one, SHORT), answer(&mut other, SHORT));
            (one, other)
        };
        let asks = async { tokio::join!(ask(&client, &instance), ask(&client, &instance)) };
        let ((mut one, mut other), _) = tokio::join!(serve, asks);
        assert_eq!(instance.kept.all().len(), 2);
        let longer_ago = super::KEPT_CONNECTION * 2;
        for (_, since) in &mut *instance.kept.all() {
            *since -= longer_ago;
        }
        let serve = async {
            tokio::select! {
                () = answer(&mut one, SHORT) => other.read_u8().await,
                () = answer(&mut other, SHORT) => one.read_u8().await,
            }
        };
        let (closed, _) = tokio::join!(serve, ask(&client, &instance));
        assert_eq!(instance.kept.all().len(), 1);
        closed.unwrap_err();
    }
}
