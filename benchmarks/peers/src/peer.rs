//! What the driver asks of a peer. A peer is opened over an empty store and loads its own streams.

use std::future::Future;

use sqlx::postgres::PgConnectOptions;

use crate::row::Shape;

/// Where a peer works, and what it is to find there.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// A database of its own, still empty.
    pub(crate) database: PgConnectOptions,
    /// How many clients will work at once.
    pub(crate) clients: u32,
    /// The streams to load.
    pub(crate) shape: Shape,
}

/// One stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Counted from 0.
    pub(crate) number: u32,
    /// The client that works on it, where each has streams of its own.
    pub(crate) client: u32,
}

impl Stream {
    /// The stream of that number, when so many clients share them all.
    pub(crate) fn of(number: u32, clients: u32) -> Self {
        Self { number, client: number % clients.max(1) }
    }
}

/// How an attempt ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is stored. An append says what its next one has to expect.
    Done(u64),
    /// Another was first, or the peer says so. It is to be tried again.
    Conflict,
}

/// A system that stores events.
pub(crate) trait Peer: Send + Sync + 'static {
    /// What the first append to a stream of that shape has to expect.
    fn expected_at_first(&self, stream: Stream, shape: Shape) -> u64;

    /// Stores one event if nothing came in after `expected`.
    fn append(
        &self,
        stream: Stream,
        expected: u64,
    ) -> impl Future<Output = anyhow::Result<Attempt>> + Send;

    /// Reads the stream, decides and stores one event, once.
    fn command(&self, stream: Stream) -> impl Future<Output = anyhow::Result<Attempt>> + Send;

    /// Reads and decodes every event; says how many there were.
    fn read_all(&self) -> impl Future<Output = anyhow::Result<u64>> + Send;
}
