//! The decoded rows of the last batches, so that hot rows are not read again.

use std::collections::HashMap;

/// Two halves: what was touched lately, and what was before. The older half is dropped when the younger is full, so at
/// most twice the capacity is kept.
#[derive(Debug)]
pub(super) struct Cache<R> {
    young: HashMap<String, R>,
    old: HashMap<String, R>,
    capacity: usize,
}

impl<R> Cache<R> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    pub(super) fn get(&self, key: &str) -> Option<&R> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(super) fn put(&mut self, key: String, row: R) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_lately_is_found_and_the_rest_is_forgotten() {
        let mut cache = Cache::new(2);
        for n in 0..5 {
            cache.put(n.to_string(), n);
        }
        assert_eq!((cache.get("4"), cache.get("3"), cache.get("0")), (Some(&4), Some(&3), None));
        cache.put("3".to_owned(), 33);
        assert_eq!(cache.get("3"), Some(&33));
    }
}
