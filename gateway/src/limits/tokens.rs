//! Which tokens are worth a look where an address has shown too many that were not taken.
//!
//! **Invariant:** whose token was taken a moment ago is not hurt by what others show who come from the same address; and what verifying all
//! others costs is bounded, however many come.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buckets::Buckets;
use super::rate::Rate;

/// Tokens that are looked at a second though their address has shown too many: a few percent of a processor, whatever they are signed with.
const LOOKED_AT: Rate = Rate::new(200, 200);
/// Tokens that are remembered, at least; of twice as many something is.
const REMEMBERED: usize = 16 * 1024;

/// What is known of tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Drawn at the start, so that nobody can make one that is taken for another.
    hasher: RandomState,
    taken: Mutex<Taken>,
    looks: Buckets,
}

/// Hashes of those that were taken: of this round, and of the one before.
#[derive(Debug, Default)]
struct Taken {
    now: HashSet<u64>,
    before: HashSet<u64>,
}

impl Tokens {
    /// This one was taken.
    pub(super) fn was_taken(&self, shown: &[u8]) {
        let hash = self.hasher.hash_one(shown);
        let mut taken = self.taken();
        if taken.now.len() >= REMEMBERED {
            taken.before = std::mem::take(&mut taken.now);
        }
        taken.now.insert(hash);
    }

    /// This one was not: it has expired, say.
    pub(super) fn was_refused(&self, shown: &[u8]) {
        let hash = self.hasher.hash_one(shown);
        let mut taken = self.taken();
        taken.now.remove(&hash);
        taken.before.remove(&hash);
    }

    /// Whether it is looked at: it was taken before, or there was not much to look at lately.
    pub(super) fn is_worth_a_look(&self, shown: &[u8]) -> bool {
        let hash = self.hasher.hash_one(shown);
        let is_known = {
            let taken = self.taken();
            taken.now.contains(&hash) || taken.before.contains(&hash)
        };
        is_known || self.looks.spend(&(), 1, LOOKED_AT).refused_for.is_none()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_taken_is_looked_at_and_of_all_others_so_many() {
        let tokens = Tokens::default();
        tokens.was_taken(b"good");
        let looked_at = (0..10_000_u32).filter(|n| tokens.is_worth_a_look(&n.to_le_bytes()));
        let looked_at = looked_at.count();
        assert!((200..2_000).contains(&looked_at), "{looked_at}");
        assert!(tokens.is_worth_a_look(b"good"));
        tokens.was_refused(b"good");
        assert!(!tokens.is_worth_a_look(b"good"), "it has expired");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_newest_is_there() {
        let tokens = Tokens::default();
        for n in 0..REMEMBERED as u64 * 5 {
            tokens.was_taken(&n.to_le_bytes());
        }
        let taken = tokens.taken();
        assert!(taken.now.len() + taken.before.len() <= 2 * REMEMBERED);
        assert!(taken.now.len() + taken.before.len() >= REMEMBERED);
    }
}
