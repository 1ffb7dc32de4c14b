//! The states that decisions are made on, kept between batches.
//!
//! Two generations: what a batch touches is young; when the young ones are too many, they grow old and the old ones are
//! dropped. **Invariant:** a state of uncommitted events is dropped as soon as its append did not commit; nothing is
//! dropped in the middle of a batch.

use std::collections::HashMap;

use domain::decide::{Entry, State, States};
use domain::event::Event;
use domain::stream::Stream;

/// A bounded cache of folded streams.
#[derive(Debug)]
pub(super) struct StateCache {
    young: HashMap<Stream, Entry>,
    old: HashMap<Stream, Entry>,
    generation: usize,
}

impl StateCache {
    /// A cache that keeps about `generation` to twice as many states.
    pub(super) fn new(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation }
    }

    /// True when the stream is there; it is young again then.
    pub(super) fn touch(&mut self, stream: &Stream) -> bool {
        if self.young.contains_key(stream) {
            return true;
        }
        match self.old.remove_entry(stream) {
            Some((stream, entry)) => {
                self.young.insert(stream, entry);
                true
            }
            None => false,
        }
    }

    /// Keeps a loaded state.
    pub(super) fn insert(&mut self, stream: Stream, entry: Entry) {
        self.old.remove(&stream);
        self.young.insert(stream, entry);
    }

    /// Folds a decided event in, ahead of its commit.
    pub(super) fn evolve(&mut self, event: &Event) {
        let stream = event.stream();
        if !self.touch(&stream) {
            return;
        }
        if let Some(entry) = self.young.get_mut(&stream) {
            let state = std::mem::replace(&mut entry.state, State::Commands);
            *entry = Entry { version: entry.version + 1, state: state.evolve(event) };
        }
    }

    /// Forgets a stream: it is loaded again when it is needed.
    pub(super) fn evict(&mut self, stream: &Stream) {
        self.young.remove(stream);
        self.old.remove(stream);
    }

    /// Drops the old generation when the young one is full. Between batches only.
    pub(super) fn age(&mut self) {
        if self.young.len() > self.generation {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

impl States for StateCache {
    fn entry(&self, stream: &Stream) -> Option<&Entry> {
        self.young.get(stream).or_else(|| self.old.get(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::Sku;

    fn stream(name: &str) -> Stream {
        Stream::Stock(Sku::parse(name).unwrap())
    }

    fn keep(cache: &mut StateCache, name: &str) {
        let stream = stream(name);
        let entry = Entry { version: 0, state: State::absent(&stream) };
        cache.insert(stream, entry);
        cache.age();
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_used_goes() {
        let mut cache = StateCache::new(2);
        keep(&mut cache, "used");
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            keep(&mut cache, name);
            assert!(cache.touch(&stream("used")), "after {name}");
        }
        assert!(!cache.touch(&stream("a")));
    }

    #[test]
    fn an_evicted_stream_is_gone_from_both_generations() {
        let mut cache = StateCache::new(0);
        keep(&mut cache, "a");
        assert!(cache.entry(&stream("a")).is_some());
        cache.evict(&stream("a"));
        assert!(cache.entry(&stream("a")).is_none());
    }
}
