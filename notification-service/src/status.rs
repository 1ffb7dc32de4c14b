//! What the service does, as its host sees it.

use event_store::Position;

/// What it does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It opens its tables.
    Starting,
    /// It follows the log.
    Live,
    /// Something is away; it tries again.
    Retrying {
        /// What.
        cause: String,
    },
    /// It stands still at an event until a person helps.
    Faulted {
        /// Where.
        position: Position,
        /// Why.
        cause: String,
    },
    /// It was stopped, or another has taken over.
    Stopped,
    /// A part of it broke off, which is a mistake in it: it does nothing any more, and is to be started anew.
    Broken,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// How far the log was read.
    pub position: Position,
}
