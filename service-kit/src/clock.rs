//! The one place where the wall clock is read.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Tells the time; tests and the simulation bring their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(now)
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
