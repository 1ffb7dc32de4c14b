//! What happened, counted: a run in which nothing interesting happened has tested nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by name, shared by everything in a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Tally {
    pub(crate) fn one(&self, what: &'static str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &'static str, count: u64) {
        if count > 0 {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() +=
                count;
        }
    }

    pub(crate) fn get(&self, what: &str) -> u64 {
        self.all().get(what).copied().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
