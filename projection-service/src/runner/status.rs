//! What is told of a projector.

use event_store::Position;
use serde::Serialize;
use utoipa::ToSchema;

use super::applier::Fault;
use crate::sqlite::digest::TableDigest;

/// Where a projector stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is far behind the log and reads history.
    #[default]
    CatchingUp,
    /// It follows the log.
    Running,
    /// It follows the log, and another generation of it is built beside it.
    Rebuilding,
    /// It stands still at an event that it can't take; what it shows is stale.
    Faulted,
}

/// How far something that runs towards a position has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// The last position folded.
    pub position: Position,
    /// Where it has to go.
    pub target: Position,
    /// Events a second since it began.
    pub rate: f64,
}

impl Progress {
    /// After `seconds` from `begun` to `position`.
    pub fn after(seconds: f64, begun: Position, position: Position, target: Position) -> Self {
        let done = number(position.saturating_sub(begun));
        let rate = if seconds > 0.0 { done / seconds } else { 0.0 };
        Self { position, target, rate }
    }

    /// Seconds to go at this rate; `None` while there is none.
    pub fn eta(&self) -> Option<f64> {
        let left = number(self.target.saturating_sub(self.position));
        if left == 0.0 { Some(0.0) } else { (self.rate > 0.0).then(|| left / self.rate) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; counts are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

/// How the last rebuild ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Rebuilt {
    /// The new generation is live.
    Switched {
        /// Its number.
        generation: u32,
        /// The events that were folded.
        events: u64,
        /// How long it took.
        seconds: f64,
        /// True when old and new were the same at one position; `null` when the old one could not be compared.
        equal: Option<bool>,
        /// The position at which they were compared.
        compared_at: Option<Position>,
        /// The digests of the new generation's tables there.
        #[schema(value_type = Vec<Object>)]
        digests: Vec<TableDigest>,
        /// The tables whose digests differ.
        differing_tables: Vec<String>,
    },
    /// It was given up; the old generation stayed live, untouched.
    Failed {
        /// Why.
        cause: String,
    },
}

/// All that is told of a projector.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// The last position folded.
    pub position: Position,
    /// The live generation.
    pub generation: u32,
    /// Events a second while it catches up.
    pub rate: f64,
    /// Where it can't go on, and why.
    pub fault: Option<Fault>,
    /// The rebuild that is under way.
    pub rebuild: Option<Progress>,
    /// How the last one ended.
    pub last_rebuild: Option<Rebuilt>,
}

impl Status {
    /// The state as people see it.
    pub fn shown(&self) -> State {
        match (self.state, &self.rebuild) {
            (State::Running | State::CatchingUp, Some(_)) => State::Rebuilding,
            (state, _) => state,
        }
    }
}
