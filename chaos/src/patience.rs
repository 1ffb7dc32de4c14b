//! How long is waited for what must come.

use std::sync::OnceLock;
use std::time::Duration;

/// Multiplies every wait, on a machine that is slow or busy.
const VARIABLE: &str = "DOCKET_CHAOS_PATIENCE";
/// What a quiet machine never needs.
const USUAL: Duration = Duration::from_mins(1);
/// A process says within two seconds that its database refuses it, within four that it is silent, and the gateway a moment
/// later that nobody takes commands.
const TOLD: Duration = Duration::from_secs(7);
/// Far more than the simulator needs when it is not told to be slow.
const PAID: Duration = Duration::from_millis(300);

/// The bound of every wait: what has not come by then is a violation.
pub(crate) fn patience() -> Duration {
    USUAL * factor()
}

/// How long a process may call itself ready without what it can't do without.
pub(crate) fn told_within() -> Duration {
    TOLD * factor()
}

/// How long the payment provider may take: short, so that its outcomes are often unknown.
pub(crate) fn payment_deadline() -> Duration {
    PAID * factor()
}

fn factor() -> u32 {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    let read = || std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    *FACTOR.get_or_init(read)
}
