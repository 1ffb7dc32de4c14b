//! Where the time of a run goes.

use std::collections::BTreeMap;

use crate::awake::Awake;

/// Seconds of each part of a run, in the order of their names.
pub(crate) type Seconds = BTreeMap<String, f64>;

/// Parts of a run that come one after another.
#[derive(Debug)]
pub(crate) struct Phases {
    since: Awake,
    taken: Seconds,
}

impl Phases {
    /// The first part begins.
    pub(crate) fn begin() -> Self {
        Self { since: Awake::now(), taken: Seconds::new() }
    }

    /// A part ends, and the next begins.
    pub(crate) fn end(&mut self, part: &str) {
        *self.taken.entry(part.to_owned()).or_default() += self.since.elapsed().as_secs_f64();
        self.since = Awake::now();
    }

    /// What each took.
    pub(crate) fn seconds(self) -> Seconds {
        self.taken
    }
}
