//! What every fold shares: what stands beside an event, and what makes a fold impossible.

use chrono::{DateTime, Utc};

use crate::decoded::Decoded;

/// What a fold may know of an event beside its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its place in its stream.
    pub version: u64,
    /// Its business time.
    pub occurred_at: DateTime<Utc>,
}

impl From<&Decoded> for Seen {
    fn from(event: &Decoded) -> Self {
        Self { version: event.version, occurred_at: event.occurred_at }
    }
}

/// An event that does not fit what was folded before it. The projector stands still there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The event is about something that no event began.
    #[error("`{event_type}` is about `{key}`, which no event before it began")]
    NothingBegan {
        /// The event's type.
        event_type: &'static str,
        /// What it is about.
        key: String,
    },
}

impl FoldError {
    /// For an event that needs a row and found none.
    pub fn nothing_began(event_type: &'static str, key: &str) -> Self {
        Self::NothingBegan { event_type, key: key.to_owned() }
    }
}
