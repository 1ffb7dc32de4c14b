//! A connection on which what is written has to get somewhere.
//!
//! **Invariant:** whoever takes nothing of what is written to them loses the connection in time; whoever is written nothing keeps it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream whose other side takes something of what is written within this time, or loses it.
pub(super) struct Progress<T> {
    stream: T,
    within: Duration,
    /// Until when it may take nothing; set while something waits to be taken.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<T> Progress<T> {
    pub(super) fn new(stream: T, within: Duration) -> Self {
        Self { stream, within, stuck: None }
    }

    /// What it is about.
    pub(super) fn socket(&self) -> &T {
        &self.stream
    }

    /// What became of a write: nothing, for too long?
    fn judged(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let within = self.within;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(stuck.as_mut().poll(context));
        metrics::counter!("http_server_connections_stuck_total").increment(1);
        let error = io::Error::new(io::ErrorKind::TimedOut, "nothing of the answer is taken");
        Poll::Ready(Err(error))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Progress<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Progress<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judged(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A socket has nothing to flush: whether it is stuck shows where it is written to.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_in_time_and_who_takes_a_little_is_not() {
        let (ours, mut theirs) = duplex(10);
        let mut stream = Progress::new(ours, WITHIN);
        let writes = async {
            let begun = tokio::time::Instant::now();
            let written = stream.write_all(&[7; 1_000]).await;
            (begun.elapsed(), written.map_err(|error| error.kind()))
        };
        let takes = async {
            for _ in 0..5 {
                tokio::time::sleep(WITHIN.saturating_sub(Duration::from_secs(1))).await;
                theirs.read_exact(&mut [0; 10]).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let (took, written) = tokio::select! {
            ended = writes => ended,
            () = takes => unreachable!("it goes on for ever"),
        };
        assert_eq!(written, Err(io::ErrorKind::TimedOut));
        let expected = WITHIN.saturating_sub(Duration::from_secs(1)) * 5 + WITHIN;
        assert!(took.abs_diff(expected) < Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_written_nothing_stays() {
        let (ours, mut theirs) = duplex(10);
        let mut stream = Progress::new(ours, WITHIN);
        for _ in 0..3 {
            stream.write_all(b"event").await.unwrap();
            theirs.read_exact(&mut [0; 5]).await.unwrap();
            tokio::time::sleep(WITHIN * 100).await;
        }
    }
}
