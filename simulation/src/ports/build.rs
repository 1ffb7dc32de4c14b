//! Which events the build that runs can't read: an older one than wrote them, until it is upgraded.
//!
//! **Invariant:** an event that a build can't read it can't read on any way, as often as it comes; after the upgrade everything is read.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use event_store::{Position, RecordedEvent};

use crate::weather::Weather;

/// A version of a payload that no build knows.
const UNKNOWN_VERSION: u32 = u32::MAX;

/// The build of the projectors.
#[derive(Default)]
pub(crate) struct Build(Mutex<Known>);

#[derive(Default)]
struct Known {
    is_old: bool,
    /// What an old build met, and could not read.
    unread: BTreeSet<Position>,
}

impl Build {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on some of what comes is too new for it.
    pub(crate) fn is_old(&self) {
        self.known().is_old = true;
    }

    /// It reads everything from now on.
    pub(crate) fn is_upgraded(&self) {
        *self.known() = Known::default();
    }

    /// Draws which of what comes is too new for it.
    pub(super) fn meets(&self, events: &[RecordedEvent], weather: &Weather) {
        let mut known = self.known();
        for event in events {
            if known.is_old && weather.draw(|rng| rng.chance(60)) {
                known.unread.insert(event.position);
            }
        }
    }

    /// What came, as it reads it.
    pub(super) fn reads(&self, mut events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        let known = self.known();
        for event in &mut events {
            if known.unread.contains(&event.position) {
                event.schema_version = UNKNOWN_VERSION;
            }
        }
        events
    }
}
