//! What can be set.

use std::sync::Arc;
use std::time::Duration;

use storage::{LeaseSettings, Location, Told};

use crate::delivery::Schedule;
use crate::egress::{EgressSettings, Names, SystemNames};
use crate::mail::MailSettings;

/// Settings of the service.
#[derive(Clone)]
pub struct Settings {
    /// Where endpoints and deliveries are kept: a file, or a schema of a PostgreSQL database.
    pub location: Location,
    /// Where several processes run on one database, one of them works: whoever holds this lease. `None` where there is one only.
    pub lease: Option<LeaseSettings>,
    /// Who hears what becomes of asking for the lease.
    pub told: Told,
    /// The key of 32 bytes that secrets of endpoints are sealed with.
    pub sealing_key: Vec<u8>,
    /// How requests go out.
    pub egress: EgressSettings,
    /// Who knows the addresses of names.
    pub names: Arc<dyn Names>,
    /// When what did not get through is tried again.
    pub schedule: Schedule,
    /// How customers get mail; they get none where it is `None`.
    pub mail: Option<MailSettings>,
    /// How long deliveries are kept.
    pub retention: Duration,
    /// Attempts under way to one endpoint, at most.
    pub per_endpoint: usize,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("location", &self.location).finish_non_exhaustive()
    }
}

impl Settings {
    /// The usual settings, for the only process on these tables.
    pub fn at(location: impl Into<Location>, sealing_key: Vec<u8>) -> Self {
        Self {
            location: location.into(),
            lease: None,
            told: Told::default(),
            sealing_key,
            egress: EgressSettings::default(),
            names: Arc::new(SystemNames),
            schedule: Schedule::default(),
            mail: None,
            retention: Duration::from_hours(30 * 24),
            per_endpoint: 8,
        }
    }
}
