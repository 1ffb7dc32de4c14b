//! What can be set.

use std::time::Duration;

use domain::sagas::Timeouts;
use storage::{LeaseSettings, Location};

/// Settings of an orchestrator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the sagas are kept: a file, or a schema of a PostgreSQL database.
    pub location: Location,
    /// Where several orchestrators run on one database, one of them is active: whoever holds this lease. `None` where
    /// there is one only.
    pub lease: Option<LeaseSettings>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Events folded with one commit, at most.
    pub batch: usize,
    /// A command whose effect is not seen is sent again after this time, then after longer ones.
    pub resend_every: Duration,
    /// How often deadlines and unseen effects are looked for.
    pub tick_every: Duration,
    /// Orders whose sagas are kept in memory, about.
    pub cached_orders: usize,
    /// A gap in the platform's life longer than this shifts the deadlines.
    pub pause_tolerance: Duration,
}

impl Settings {
    /// The usual settings, with the sagas here, for the only orchestrator on them.
    pub fn at(location: impl Into<Location>) -> Self {
        Self {
            location: location.into(),
            lease: None,
            timeouts: Timeouts::default(),
            batch: 1_000,
            resend_every: Duration::from_secs(5),
            tick_every: Duration::from_millis(100),
            cached_orders: 2_048,
            pause_tolerance: Duration::from_secs(5),
        }
    }
}
