//! Where the time of recording comes from. It labels events and never orders them.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time. A simulation gives its own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that asks the machine")]
pub(crate) fn system() -> Clock {
    Arc::new(Utc::now)
}

/// The time in the microseconds that every backend can keep.
pub(crate) fn read(clock: &Clock) -> DateTime<Utc> {
    clock().trunc_subsecs(6)
}
