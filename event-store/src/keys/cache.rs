//! Unwrapped keys, held for minutes: a vault that opened a person's data a moment ago need not ask the store again.
//!
//! **Invariant:** never more than [`MOST`] keys; a key that was read before an erasure is not kept after it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::aead::RandomizedNonceKey;

/// How long a key is held. An erasure on another machine is felt here this much later at most.
const HELD_FOR: Duration = Duration::from_mins(5);
/// How many keys are held.
const MOST: usize = 10_000;

/// The cache.
#[derive(Default)]
pub(super) struct KeyCache {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    keys: HashMap<String, (Arc<RandomizedNonceKey>, Instant)>,
    erasures: u64,
}

/// Says when a key began to be read from the store.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    erasures: u64,
}

impl KeyCache {
    /// The key, if it is held and fresh.
    pub(super) fn get(&self, person: &str) -> Option<Arc<RandomizedNonceKey>> {
        let held = self.held();
        let (key, until) = held.keys.get(person)?;
        (Instant::now() < *until).then(|| Arc::clone(key))
    }

    /// Called before a key is read from the store.
    pub(super) fn begin_reading(&self) -> Reading {
        Reading { erasures: self.held().erasures }
    }

    /// Holds a key, unless someone was erased since it was read: it may be theirs.
    pub(super) fn keep(&self, reading: Reading, person: &str, key: &Arc<RandomizedNonceKey>) {
        let mut held = self.held();
        if held.erasures != reading.erasures {
            return;
        }
        let now = Instant::now();
        if held.keys.len() >= MOST {
            held.keys.retain(|_, (_, until)| now < *until);
        }
        if held.keys.len() >= MOST {
            // Reading a key again is cheap; knowing which one is needed least is not.
            held.keys.clear();
        }
        held.keys.insert(person.to_owned(), (Arc::clone(key), now + HELD_FOR));
    }

    /// Drops a key, and every one that is being read right now.
    pub(super) fn forget(&self, person: &str) {
        let mut held = self.held();
        held.keys.remove(person);
        held.erasures += 1;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::AES_256_GCM;

    use super::*;

    fn key() -> Arc<RandomizedNonceKey> {
        Arc::new(RandomizedNonceKey::new(&AES_256_GCM, &[7; 32]).unwrap())
    }

    #[test]
    fn a_key_read_before_an_erasure_is_not_kept_after_it() {
        let cache = KeyCache::default();
        let reading = cache.begin_reading();
        cache.forget("customer-7");
        cache.keep(reading, "customer-7", &key());
        assert!(cache.get("customer-7").is_none());
    }

    #[test]
    fn the_cache_stays_small_however_many_people_there_are() {
        let cache = KeyCache::default();
        let key = key();
        for person in 0..=MOST {
            cache.keep(cache.begin_reading(), &person.to_string(), &key);
        }
        assert!(cache.held().keys.len() <= MOST);
        assert!(cache.get(&MOST.to_string()).is_some(), "the newest is held");
    }
}
