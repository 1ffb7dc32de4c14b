//! Places that clients share, of which no one client has all.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One client has at most one place in so many.
pub const SHARE: usize = 8;

/// How many of the places each client has.
#[derive(Debug)]
pub struct Shares<W: Clone + Eq + Hash> {
    most_of_one: usize,
    taken: Mutex<HashMap<W, usize>>,
}

/// One place more is a client's, until this is dropped.
#[derive(Debug)]
pub struct Share<'s, W: Clone + Eq + Hash> {
    shares: &'s Shares<W>,
    whose: W,
}

impl<W: Clone + Eq + Hash> Shares<W> {
    /// Of so many places.
    pub fn of(places: usize) -> Self {
        Self { most_of_one: places.div_ceil(SHARE), taken: Mutex::default() }
    }

    /// One more for this client; `None` when they have as many as one may have.
    pub fn take(&self, whose: W) -> Option<Share<'_, W>> {
        let mut taken = self.taken();
        let theirs = taken.get(&whose).copied().unwrap_or_default();
        if theirs >= self.most_of_one {
            return None;
        }
        taken.insert(whose.clone(), theirs + 1);
        drop(taken);
        Some(Share { shares: self, whose })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<W, usize>> {
        // Numbers are whole after any panic.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Clone + Eq + Hash> Drop for Share<'_, W> {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        if let Some(theirs) = taken.get_mut(&self.whose) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_a_part_and_nobody_is_remembered_who_has_none() {
        let shares = Shares::of(SHARE * 2);
        let theirs = [(); 2].map(|()| shares.take("a").unwrap());
        assert!(shares.take("a").is_none());
        assert!(shares.take("b").is_some());
        drop(theirs);
        assert!(shares.take("a").is_some());
        assert!(shares.taken().is_empty());
    }
}
