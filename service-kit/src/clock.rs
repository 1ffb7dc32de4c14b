//! The one place where the wall clock is read.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

/// Tells the time; tests and the simulation bring their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(now)
}

/// The machine's clock as it is now, and from now on what time really passes: nobody can set it. For what waits.
pub fn steady() -> Clock {
    let (begun, since) = (now(), Instant::now());
    Arc::new(move || begun + since.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
