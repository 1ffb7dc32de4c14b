//! How long is waited for what must come.

use std::sync::OnceLock;
use std::time::Duration;

/// Multiplies every wait, on a machine that is slow or busy.
const VARIABLE: &str = "DOCKET_CHAOS_PATIENCE";
/// What a quiet machine never needs.
const USUAL: Duration = Duration::from_mins(1);

/// The bound of every wait: what has not come by then is a violation.
pub(crate) fn patience() -> Duration {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    let read = || std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    USUAL * *FACTOR.get_or_init(read)
}
