//! A bounded cache in two generations: what is used moves to the young one; when that is full it grows old, and the old one
//! is forgotten. So memory is bounded, and no use has to be counted.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Values by key, those that were used last. **Invariant:** no key is in both generations.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    full: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// Keeps the last `full` values that were used, and at most twice as many.
    pub fn new(full: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), full: full.max(1) }
    }

    /// The value, which does not count as a use.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The value to be used. Nothing is forgotten by this.
    pub fn touch<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.young.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// Takes the value out.
    pub fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Keeps a value and forgets nothing: for whoever needs all of them together. [`Self::age`] afterwards.
    pub fn hold(&mut self, key: K, value: V) {
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Keeps a value, and forgets the old ones when the young are too many.
    pub fn put(&mut self, key: K, value: V) {
        self.hold(key, value);
        self.age();
    }

    /// Forgets the old ones when the young are too many.
    pub fn age(&mut self) {
        if self.young.len() >= self.full {
            // The next ones will be as many: a map that grows is copied each time.
            let next = HashMap::with_capacity(self.full);
            self.old = mem::replace(&mut self.young, next);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_what_is_not_goes_and_memory_is_bounded() {
        let mut cache = Generations::new(4);
        for n in 0..100 {
            cache.put(n, n.to_string());
            assert_eq!(cache.touch(&0).unwrap(), "0", "after {n}");
            assert!(cache.young.len() + cache.old.len() <= 8);
        }
        assert_eq!(cache.get(&99).unwrap(), "99");
        assert!(cache.get(&50).is_none());
    }

    #[test]
    fn what_is_taken_or_replaced_is_gone_from_both() {
        let mut cache = Generations::new(1);
        cache.put("a", 1);
        cache.put("a", 2);
        assert_eq!((cache.take("a"), cache.take("a")), (Some(2), None));
    }

    #[test]
    fn what_is_held_together_stays_until_it_ages() {
        let mut cache = Generations::new(2);
        for n in 0..10 {
            cache.hold(n, n);
        }
        assert!((0..10).all(|n| cache.get(&n).is_some()));
        cache.age();
        cache.hold(10, 10);
        cache.hold(11, 11);
        cache.age();
        assert!(cache.get(&0).is_none() && cache.get(&11).is_some());
    }
}
