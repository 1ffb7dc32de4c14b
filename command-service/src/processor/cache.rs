//! The states that decisions are made on, kept between batches.
//!
//! **Invariant:** a state of uncommitted events is dropped as soon as its append did not commit; nothing is dropped in the
//! middle of a batch.

use domain::decide::{Entry, State, States};
use domain::event::Event;
use domain::stream::Stream;
use service_kit::generations::Generations;

/// A bounded cache of folded streams. Boxed: a map of large values is costly to grow.
#[derive(Debug)]
pub(super) struct StateCache(Generations<Stream, Box<Entry>>);

impl StateCache {
    /// A cache that keeps about `generation` to twice as many states.
    pub(super) fn new(generation: usize) -> Self {
        Self(Generations::new(generation))
    }

    /// True when the stream is there; it is young again then.
    pub(super) fn touch(&mut self, stream: &Stream) -> bool {
        self.0.touch(stream).is_some()
    }

    /// Takes a stream that is not here for one without events, without asking. The append finds out when it has some.
    pub(super) fn expect_absent(&mut self, stream: Stream) {
        if self.0.get(&stream).is_none() {
            let state = State::absent(&stream);
            self.0.hold(stream, Box::new(Entry { version: 0, state }));
        }
    }

    /// Keeps a loaded state.
    pub(super) fn insert(&mut self, stream: Stream, entry: Entry) {
        self.0.hold(stream, Box::new(entry));
    }

    /// Folds a decided event in, ahead of its commit.
    pub(super) fn evolve(&mut self, event: &Event) {
        event.about_to_begin().into_iter().for_each(|stream| self.expect_absent(stream));
        if let Some(entry) = self.0.touch(&event.stream()) {
            let state = std::mem::replace(&mut entry.state, State::Commands);
            **entry = Entry { version: entry.version + 1, state: state.evolve(event) };
        }
    }

    /// Forgets a stream: it is loaded again when it is needed.
    pub(super) fn evict(&mut self, stream: &Stream) {
        self.0.take(stream);
    }

    /// Forgets what was not used of late. Between batches only.
    pub(super) fn age(&mut self) {
        self.0.age();
    }
}

impl States for StateCache {
    fn entry(&self, stream: &Stream) -> Option<&Entry> {
        self.0.get(stream).map(AsRef::as_ref)
    }
}
