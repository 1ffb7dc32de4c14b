//! Writes wait a little while what follows the log is further behind than it is meant to be: who asks for work that is not caught up with
//! makes what everybody reads older.
//!
//! **Invariant:** a write is held up, never refused, and by a second at most; reads and what operators do are not.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;

use crate::routes::is_command;

/// How long a write waits at most.
const MOST: Duration = Duration::from_secs(1);
/// Of the time by which they are too far behind, a write waits one part in so many.
const PART: u32 = 5;

/// How far behind the log the read models and sagas are: whichever is further.
pub type FarBehind = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Holds writes up. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    meant: Duration,
    behind: FarBehind,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admission {{ meant: {:?} }}", self.meant)
    }
}

impl Admission {
    /// They are meant to be no further behind than this.
    pub fn new(meant: Duration, behind: FarBehind) -> Self {
        Self { meant, behind }
    }

    /// Returns when a request to the API may go on: at once, unless it is a write.
    pub(crate) async fn admit(&self, method: &Method, path: &str) {
        let pause = if is_command(method, path) { self.pause() } else { Duration::ZERO };
        if !pause.is_zero() {
            metrics::counter!("docket_gateway_writes_slowed_total").increment(1);
            tokio::time::sleep(pause).await;
        }
    }

    fn pause(&self) -> Duration {
        ((self.behind)().saturating_sub(self.meant) / PART).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writes_wait_for_longer_the_further_behind_and_nothing_else_does() {
        let behind = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&behind);
        let far: FarBehind = Arc::new(move || Duration::from_millis(known.load(Ordering::Relaxed)));
        let admission = Admission::new(Duration::from_secs(5), far);
        let took = async |method: Method, path: &str| {
            let begun = Instant::now();
            admission.admit(&method, path).await;
            u64::try_from(begun.elapsed().as_millis()).unwrap()
        };
        for (far, waits) in [(0, 0), (5_000, 0), (6_000, 200), (10_000, 1_000), (60_000, 1_000)] {
            behind.store(far, Ordering::Relaxed);
            // The clock of tests goes by whole milliseconds.
            let took = took(Method::POST, "/v1/orders").await;
            assert!((waits..=waits + 1).contains(&took), "{far}: {took}");
        }
        for (method, path) in [
            (Method::GET, "/v1/orders"),
            (Method::POST, "/v1/sagas/s/retry"),
            (Method::POST, "/v1/projections/orders/rebuild"),
            (Method::POST, "/v1/dead-letters/4/replay"),
        ] {
            assert_eq!(took(method, path).await, 0, "{path}");
        }
    }
}
