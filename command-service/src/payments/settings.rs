//! How long the payments' runner waits, and how much it does at once.

use std::time::Duration;

use super::guard::BreakerSettings;

/// How long the runner waits and how much it does at once.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// How long the provider may take to answer; longer is an unknown outcome.
    pub deadline: Duration,
    /// The wait before the first probe of an unknown outcome; doubles each time.
    pub probe_first: Duration,
    /// The longest wait between two probes.
    pub probe_most: Duration,
    /// How often a call is made that never arrives, under one key; then the key is closed.
    pub calls: u32,
    /// Calls to the provider at the same time.
    pub concurrency: usize,
    /// How often the log is asked for intents that nobody carries.
    pub scan_every: Duration,
    /// When a provider that does not answer is left alone.
    pub breaker: BreakerSettings,
    /// How long the provider honours a key: so long an authorization may land after its void.
    pub key_lifetime: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            probe_first: Duration::from_millis(200),
            probe_most: Duration::from_secs(30),
            calls: 3,
            concurrency: 256,
            scan_every: Duration::from_secs(30),
            breaker: BreakerSettings::default(),
            key_lifetime: Duration::from_hours(24),
        }
    }
}
