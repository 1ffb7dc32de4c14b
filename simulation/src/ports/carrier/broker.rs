//! What the server keeps, and what becomes of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use event_store::Position;
use messaging::jetstream::{CarrierError, PublishError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::post::Post;
use super::stream::Stream;
use crate::trace::Trace;
use crate::weather::Weather;

/// A copy of the stream is put aside every so many messages, and at every fault.
const COPY_EVERY: Position = 25;
/// Copies that are kept.
const COPIES: usize = 24;

/// What somebody publishes by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stray {
    /// No event at all.
    Nonsense,
    /// An event of the log, at another place.
    Misplaced,
    /// No event, and it is deleted at once: the stream counted on.
    Deleted,
}

/// The broker.
pub(crate) struct EventBroker {
    pub(super) weather: Arc<Weather>,
    pub(super) trace: Arc<Trace>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    stream: Option<Stream>,
    /// Older ones, the newest last.
    copies: Vec<Stream>,
    /// Streams that were made.
    lives: u64,
    /// The stream was lost with its disk, and not made anew yet.
    is_wiped: bool,
    /// Raised when every connection is lost.
    connection: u64,
    away_until: Option<Instant>,
    /// Dropped when the connections are lost.
    connected: Vec<oneshot::Sender<()>>,
    readers: Vec<Weak<Notify>>,
    pub(super) post: Post,
}

/// What a reader finds.
pub(super) enum Found {
    /// A message.
    Message(Position, Bytes),
    /// Nothing yet.
    Nothing,
    /// Its stream, or its connection, is no more.
    Gone,
}

impl EventBroker {
    pub(crate) fn new(weather: Arc<Weather>, trace: Arc<Trace>) -> Arc<Self> {
        Arc::new(Self { weather, trace, state: Mutex::default() })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which connection one has now; none while the server is away.
    pub(super) fn connection(&self) -> Result<u64, Instant> {
        let state = self.state();
        match state.away_until {
            Some(until) if until > Instant::now() => Err(until),
            _ => Ok(state.connection),
        }
    }

    /// Ends when this connection is lost.
    pub(super) fn lost(&self) -> oneshot::Receiver<()> {
        let (connected, lost) = oneshot::channel();
        let mut state = self.state();
        state.connected.retain(|one| !one.is_closed());
        state.connected.push(connected);
        lost
    }

    /// Publishes what came over this connection; `None` when nobody is there any more who could be told.
    pub(super) fn publish(
        &self,
        connection: u64,
        envelope: Bytes,
        after: Position,
    ) -> Option<Result<Position, PublishError>> {
        if self.connection() != Ok(connection) {
            return None;
        }
        let mut state = self.state();
        let Some(stream) = &mut state.stream else {
            let none = CarrierError::new("the stream did not take an event", "there is no stream");
            return Some(Err(none.into()));
        };
        if stream.last() != after {
            return Some(Err(PublishError::WrongLastSequence));
        }
        let sequence = stream.append(envelope);
        if sequence.is_multiple_of(COPY_EVERY) {
            state.put_aside();
        }
        state.wake();
        Some(Ok(sequence))
    }

    /// The stream's last sequence.
    pub(crate) fn last(&self) -> Option<Position> {
        self.state().stream.as_ref().map(Stream::last)
    }

    /// Everything that stands in the stream.
    pub(crate) fn dump(&self) -> Vec<(Position, Bytes)> {
        let state = self.state();
        let Some(stream) = &state.stream else { return Vec::new() };
        let mut at = 0;
        std::iter::from_fn(|| {
            let (sequence, envelope) = stream.from(at + 1)?;
            at = sequence;
            Some((sequence, envelope.clone()))
        })
        .collect()
    }

    pub(super) fn message_at(&self, sequence: Position) -> Result<Option<Bytes>, CarrierError> {
        let state = self.state();
        let stream = state.stream.as_ref();
        let stream = stream.ok_or_else(|| CarrierError::new("no message is read", "no stream"))?;
        Ok(stream.get(sequence).cloned())
    }

    pub(super) fn create(&self, first: Position, retained: u64) -> Result<(), CarrierError> {
        let mut state = self.state();
        if let Some(stream) = &state.stream {
            return if stream.is_like(first, retained) {
                Ok(())
            } else {
                Err(CarrierError::new("no stream is created", "there is another of this name"))
            };
        }
        state.lives += 1;
        state.stream = Some(Stream::new(state.lives, first, retained));
        let was_wiped = std::mem::take(&mut state.is_wiped);
        drop(state);
        self.trace.tell(format_args!("a stream is created from {first} on"));
        if was_wiped {
            self.trace.happened("a lost stream created anew");
        }
        Ok(())
    }

    pub(super) fn delete(&self) {
        let mut state = self.state();
        state.put_aside();
        state.stream = None;
        state.wake();
    }

    /// Begins to read: which stream it is, and who is to be woken.
    pub(super) fn open_reader(&self, first: Position) -> Option<(u64, Arc<Notify>)> {
        let mut state = self.state();
        let stream = state.stream.as_ref()?;
        let life = stream.life;
        if stream.first().is_some_and(|oldest| oldest > first) {
            self.trace.happened("a reader behind the oldest message");
        }
        let wake = Arc::new(Notify::new());
        state.readers.retain(|reader| reader.strong_count() > 0);
        state.readers.push(Arc::downgrade(&wake));
        Some((life, wake))
    }

    pub(super) fn read(&self, connection: u64, life: u64, from: Position) -> Found {
        if self.connection() != Ok(connection) {
            return Found::Gone;
        }
        let state = self.state();
        match state.stream.as_ref().filter(|stream| stream.life == life) {
            None => Found::Gone,
            Some(stream) => stream.from(from).map_or(Found::Nothing, |(sequence, envelope)| {
                Found::Message(sequence, envelope.clone())
            }),
        }
    }
}

/// What breaks.
impl EventBroker {
    /// Nobody reaches it for this time, and every connection is lost.
    pub(crate) fn goes_away(&self, time: Duration) {
        let mut state = self.state();
        state.connection += 1;
        state.away_until = Some(Instant::now() + time);
        state.connected.clear();
        state.wake();
    }

    /// Its disk is gone.
    pub(crate) fn is_wiped(&self) {
        let mut state = self.state();
        state.put_aside();
        state.is_wiped |= state.stream.take().is_some();
    }

    /// It comes back with a stream as it was at some time before.
    pub(crate) fn goes_back(&self, which: u64) {
        let mut state = self.state();
        state.put_aside();
        let place = usize::try_from(which).unwrap_or_default() % state.copies.len().max(1);
        let Some(copy) = state.copies.get(place).cloned() else { return };
        let last = copy.last();
        state.stream = Some(copy);
        state.is_wiped = false;
        drop(state);
        self.trace.tell(format_args!("the stream is an older one, which ends at {last}"));
        self.trace.happened("a stream that went back");
    }

    /// What it said it had, and had not written, is gone.
    pub(crate) fn forgets_last(&self, count: u64) {
        if let Some(stream) = &mut self.state().stream {
            stream.forget_last(count);
        }
    }

    /// Messages are deleted: so many back from the end on, so many.
    pub(crate) fn loses(&self, back: u64, count: u64) {
        let mut state = self.state();
        state.put_aside();
        let Some(stream) = &mut state.stream else { return };
        let last = stream.last().saturating_sub(back);
        let gone = (0..count).filter(|before| stream.lose(last.saturating_sub(*before))).count();
        drop(state);
        self.trace.tell(format_args!("{gone} messages up to {last} are lost"));
    }

    /// All messages are deleted.
    pub(crate) fn is_purged(&self) {
        let mut state = self.state();
        state.put_aside();
        if let Some(stream) = &mut state.stream {
            stream.purge();
        }
    }

    /// Somebody publishes by hand.
    pub(crate) fn gets_stray(&self, stray: Stray) {
        let mut state = self.state();
        state.put_aside();
        let Some(stream) = &mut state.stream else { return };
        let nonsense = Bytes::from_static(b"stray");
        let sequence = match stray {
            Stray::Nonsense => stream.append(nonsense),
            Stray::Misplaced => {
                let other = stream.from(0).map(|(_, envelope)| envelope.clone());
                stream.append(other.unwrap_or(nonsense))
            }
            Stray::Deleted => {
                let sequence = stream.append(nonsense);
                stream.lose(sequence);
                sequence
            }
        };
        state.wake();
        drop(state);
        self.trace.tell(format_args!("something else is published at {sequence}"));
    }
}

impl State {
    fn put_aside(&mut self) {
        if let Some(stream) = &self.stream {
            if self.copies.len() >= COPIES {
                self.copies.remove(0);
            }
            self.copies.push(stream.clone());
        }
    }

    fn wake(&self) {
        for reader in self.readers.iter().filter_map(Weak::upgrade) {
            reader.notify_one();
        }
    }
}
