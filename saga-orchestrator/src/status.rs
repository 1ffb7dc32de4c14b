//! What the orchestrator tells about itself.

use std::collections::HashMap;

use domain::ids::SagaId;
use domain::sagas::{SagaKind, SagaState};
use event_store::Position;

/// What the orchestrator is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Another orchestrator is the active one; this one shows what that one writes, and takes over when it is gone.
    Standby,
    /// Reads what happened before it was started, or while the log was not heard; sends nothing yet.
    CatchingUp,
    /// Follows the log.
    Live,
    /// Can't read or write now, or can't ask for the lease, and tries again.
    Retrying {
        /// Why.
        cause: String,
    },
    /// Stands still until somebody has looked at it.
    Faulted {
        /// The position that it can't get past.
        position: Position,
        /// Why.
        cause: String,
    },
    /// Was shut down.
    Stopped,
}

/// Where the orchestrator stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// The last position folded.
    pub position: Position,
    /// Sagas in each state.
    pub sagas: HashMap<SagaState, u64>,
}

/// One saga of an order, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaSummary {
    /// Its id.
    pub id: SagaId,
    /// Which one it is.
    pub kind: SagaKind,
    /// Where it stands.
    pub state: SagaState,
}
