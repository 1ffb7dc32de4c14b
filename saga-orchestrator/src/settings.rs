//! What can be set.

use std::path::PathBuf;
use std::time::Duration;

use domain::sagas::Timeouts;

/// Settings of an orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database file.
    pub path: PathBuf,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Events folded with one commit, at most.
    pub batch: usize,
    /// A command whose effect is not seen is sent again after this time.
    pub resend_every: Duration,
    /// How often deadlines and unseen effects are looked for.
    pub tick_every: Duration,
    /// Orders whose sagas are kept in memory, about.
    pub cached_orders: usize,
    /// A gap in the platform's life longer than this shifts the deadlines.
    pub pause_tolerance: Duration,
}

impl Settings {
    /// The usual settings, with the database in this file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            timeouts: Timeouts::default(),
            batch: 1_000,
            resend_every: Duration::from_secs(5),
            tick_every: Duration::from_millis(100),
            cached_orders: 2_048,
            pause_tolerance: Duration::from_secs(5),
        }
    }
}
