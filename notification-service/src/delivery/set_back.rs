//! Whether the machine's clock was set back: what waits for a time would wait for as much longer.

use chrono::{DateTime, TimeDelta, Utc};
use service_kit::clock::{Clock, steady};

/// By how much at least: a clock that is put right by and by moves less between two looks.
const NOTED: TimeDelta = TimeDelta::seconds(2);

/// Compares a clock with what time really passes.
pub(super) struct SetBack {
    clock: Clock,
    steady: Clock,
    /// By how much the clock was ahead at the last look.
    ahead: TimeDelta,
}

impl SetBack {
    pub(super) fn of(clock: Clock) -> Self {
        let steady = steady();
        let ahead = clock() - steady();
        Self { clock, steady, ahead }
    }

    /// The time by the clock, if it was set back since the last look.
    pub(super) fn look(&mut self) -> Option<DateTime<Utc>> {
        let now = (self.clock)();
        let ahead = now - (self.steady)();
        let before = std::mem::replace(&mut self.ahead, ahead);
        (before - ahead > NOTED).then_some(now)
    }
}
