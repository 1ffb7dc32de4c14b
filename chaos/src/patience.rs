//! How long is waited for what must come.

use std::ffi::OsStr;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Multiplies every wait, on a machine that is slow or busy.
pub(crate) const VARIABLE: &str = "DOCKET_CHAOS_PATIENCE";
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

/// What every wait is multiplied with.
pub(crate) fn factor() -> u32 {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    *FACTOR.get_or_init(|| read(std::env::var_os(VARIABLE).as_deref()).unwrap_or(1))
}

/// Refuses what the environment says of it when that is no number.
pub(crate) fn check() -> Result<()> {
    read(std::env::var_os(VARIABLE).as_deref()).map(drop)
}

fn read(told: Option<&OsStr>) -> Result<u32> {
    let Some(told) = told else { return Ok(1) };
    let factor = told.to_str().and_then(|text| text.parse().ok()).filter(|factor| *factor > 0);
    factor.with_context(|| format!("{VARIABLE} is a number such as 3, not {}", told.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_a_number_of_at_least_one() {
        assert_eq!(read(None).unwrap(), 1);
        assert_eq!(read(Some("10".as_ref())).unwrap(), 10);
        for wrong in ["", "0", "x", "-1", "1.5"] {
            assert!(read(Some(wrong.as_ref())).is_err(), "{wrong}");
        }
    }
}
