//! What everybody has left, in a table that never grows.
//!
//! Each is a bucket of the generic cell rate algorithm: one moment, up to which all that came would have been evenly spread. The kept
//! libraries for it remember every key that they ever saw, or have to be told to forget; here a key has one of the few places that
//! its hash leads to, and whoever is nearest to having everything left is forgotten.
//!
//! **Invariant:** memory is what it was at the start, whoever comes, and nobody is refused for what others did.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rate::Rate;

/// Places that a key may have.
const WAYS: usize = 8;
/// Sets of such places.
const SETS: usize = 8_192;

/// A place: whose it is, and up to when what they spent reaches, in nanoseconds since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    key: u64,
    until: u64,
}

type Set = Mutex<[Place; WAYS]>;

/// The buckets of all keys.
#[derive(Debug)]
pub(super) struct Buckets {
    sets: Box<[Set]>,
    /// Drawn at the start, so that nobody can choose who shares a place with whom.
    hasher: RandomState,
    begun: Instant,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How long to wait where it was refused; nothing was spent then.
    pub(super) refused_for: Option<Duration>,
    /// Units that are left.
    pub(super) left: u32,
    /// How long until all are there again.
    pub(super) whole_in: Duration,
}

impl Default for Buckets {
    fn default() -> Self {
        let sets = (0..SETS).map(|_| Set::default()).collect();
        Self { sets, hasher: RandomState::new(), begun: Instant::now() }
    }
}

impl Buckets {
    /// Spends so many units of what this key has, if it has them. What costs more than there can be costs all there can be.
    pub(super) fn spend(&self, key: &impl Hash, cost: u32, rate: Rate) -> Verdict {
        self.spend_at(key, cost, rate, self.now())
    }

    /// What this key has, and whether it would do.
    pub(super) fn look(&self, key: &impl Hash, cost: u32, rate: Rate) -> Verdict {
        let (key, now) = (self.hasher.hash_one(key), self.now());
        let set = self.set(key);
        let until = set.iter().find(|place| place.key == key).map_or(0, |place| place.until);
        verdict(until, cost, rate, now).0
    }

    fn spend_at(&self, key: &impl Hash, cost: u32, rate: Rate, now: u64) -> Verdict {
        let key = self.hasher.hash_one(key);
        let mut set = self.set(key);
        let own = set.iter().position(|place| place.key == key);
        let until = own.map_or(0, |own| set[own].until);
        let (verdict, until) = verdict(until, cost, rate, now);
        if let Some(until) = until {
            let nearest_to_whole = || (0..WAYS).min_by_key(|at| set[*at].until).unwrap_or_default();
            let place = own.unwrap_or_else(nearest_to_whole);
            if own.is_some() || set[place].until <= until {
                set[place] = Place { key, until };
            }
        }
        verdict
    }

    fn set(&self, key: u64) -> MutexGuard<'_, [Place; WAYS]> {
        let at = usize::try_from(key % SETS as u64).unwrap_or_default();
        // Places are whole after any panic.
        self.sets[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }
}

/// The verdict, and up to when what was spent reaches after it, where it was spent.
fn verdict(until: u64, cost: u32, rate: Rate, now: u64) -> (Verdict, Option<u64>) {
    let (interval, window) = (nanos(rate.interval()), nanos(rate.window()));
    let before = until.max(now);
    let after = before.saturating_add(interval * u64::from(cost.min(rate.burst())));
    let spent = after - now <= window;
    let reaches = if spent { after } else { before };
    let left = (now + window).saturating_sub(reaches) / interval;
    let verdict = Verdict {
        refused_for: (!spent).then(|| Duration::from_nanos(after - now - window)),
        left: u32::try_from(left).unwrap_or(u32::MAX),
        whole_in: Duration::from_nanos(reaches - now),
    };
    (verdict, spent.then_some(after))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(10, 20);
    const SECOND: u64 = 1_000_000_000;

    fn passes(buckets: &Buckets, key: &str, cost: u32, now: u64) -> bool {
        buckets.spend_at(&key, cost, RATE, now).refused_for.is_none()
    }

    #[test]
    fn what_is_saved_up_may_be_spent_at_once_and_then_as_it_comes() {
        let buckets = Buckets::default();
        assert_eq!((0..100).filter(|_| passes(&buckets, "a", 1, 0)).count(), 20);
        let verdict = buckets.spend_at(&"a", 5, RATE, 0);
        assert_eq!(verdict.refused_for, Some(Duration::from_millis(500)));
        assert_eq!((verdict.left, verdict.whole_in), (0, Duration::from_secs(2)));
        assert!(passes(&buckets, "b", 20, 0), "another has their own");
        let later = (1..=100).filter(|tenth| passes(&buckets, "a", 1, tenth * SECOND / 20));
        assert_eq!(later.count(), 50, "ten a second for five seconds");
    }

    #[test]
    fn a_refusal_costs_nothing_and_what_costs_more_than_all_costs_all() {
        let buckets = Buckets::default();
        assert!(passes(&buckets, "a", 1_000, 0));
        assert!(!passes(&buckets, "a", 1, 0));
        assert!(passes(&buckets, "a", 1, SECOND / 10));
    }

    #[test]
    fn no_more_passes_in_any_time_than_the_burst_and_what_came_since() {
        let buckets = Buckets::default();
        let mut now = 0;
        let mut spent = 0;
        for _ in 0..10_000 {
            now += fastrand::u64(0..SECOND / 5);
            let cost = fastrand::u32(1..=10);
            if passes(&buckets, "a", cost, now) {
                spent += u64::from(cost);
            }
            assert!(spent <= 20 + now / (SECOND / 10), "{spent} at {now}");
        }
        assert!(spent + 20 >= now / (SECOND / 10), "and not much less: {spent} at {now}");
    }

    #[test]
    fn a_million_keys_take_no_more_memory_and_set_nobody_free() {
        let buckets = Buckets::default();
        let size = size_of_val(&*buckets.sets);
        assert!(size < 2 * 1024 * 1024, "{size}");
        let used_up: Vec<String> = (0..100).map(|who| format!("used up {who}")).collect();
        for who in &used_up {
            assert!(passes(&buckets, who, 20, 0));
        }
        for key in 0..1_000_000_u32 {
            assert!(buckets.spend_at(&key, 1, RATE, SECOND / 20).refused_for.is_none());
        }
        assert_eq!(buckets.sets.len(), SETS);
        for who in &used_up {
            assert!(!passes(&buckets, who, 1, SECOND / 20), "{who}");
        }
    }
}
