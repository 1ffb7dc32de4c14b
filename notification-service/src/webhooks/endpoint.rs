//! An endpoint, as it is kept.

use chrono::{DateTime, Utc};
use event_store::Position;
use reqwest::Url;

use super::filter::Filter;
use super::secret::Secret;

/// Somebody who wants to be told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint {
    /// In the order of their registration.
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) url: Url,
    pub(crate) filter: Filter,
    pub(crate) description: Option<String>,
    pub(crate) state: EndpointState,
    pub(crate) secrets: Secrets,
    /// It is told of what comes after this position. `None` where positions mean nothing any more, after the log began another
    /// history: then by the time.
    pub(crate) since: Option<Position>,
    pub(crate) created_at: DateTime<Utc>,
    /// Since when nothing got through; `None` while the last attempt did.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// What asked for it, to tell a repeat from another request under the same key.
    pub(crate) request: String,
}

/// Whether it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndpointState {
    /// It is.
    Enabled,
    /// What is for it waits.
    Disabled {
        /// Why.
        why: String,
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// What it is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secrets {
    /// The one that holds.
    pub(crate) current: Secret,
    /// The one before, and until when it still signs.
    pub(crate) previous: Option<(Secret, DateTime<Utc>)>,
    /// The key of the request that drew the current one.
    pub(crate) drawn_by: String,
    /// The key of the request that drew the one before, where that is known.
    pub(crate) previous_drawn_by: Option<String>,
}

impl Secrets {
    /// Those that sign at this time, the newest first.
    pub(crate) fn valid(&self, at: DateTime<Utc>) -> impl Iterator<Item = &Secret> {
        let previous = self.previous.as_ref().filter(move |(_, until)| at < *until);
        std::iter::once(&self.current).chain(previous.map(|(secret, _)| secret))
    }

    /// The one that the request of this key drew, if it signs at this time.
    pub(crate) fn drawn_under(&self, key: &str, at: DateTime<Utc>) -> Option<&Secret> {
        let drawn_by = [Some(self.drawn_by.as_str()), self.previous_drawn_by.as_deref()];
        let mut secrets = self.valid(at).zip(drawn_by);
        secrets.find(|(_, drawn_by)| *drawn_by == Some(key)).map(|(secret, _)| secret)
    }
}

impl Endpoint {
    pub(crate) fn is_enabled(&self) -> bool {
        self.state == EndpointState::Enabled
    }

    /// Whether it is to be told of an event of this type, place and time.
    pub(crate) fn wants(&self, name: &str, position: Position, at: DateTime<Utc>) -> bool {
        let is_new = self.since.map_or(at >= self.created_at, |since| position > since);
        is_new && self.filter.wants(name)
    }
}
