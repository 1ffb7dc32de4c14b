//! What is told of a projector.

use std::sync::Arc;
use std::time::Instant;

use event_store::Position;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::apply::Fault;
use crate::storage::catalog::Kept;
use crate::storage::digest::{Difference, TableDigest};
use crate::storage::parked::Parked;

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
    #[schema(value_type = u64)]
    pub position: Position,
    /// Where it has to go.
    #[schema(value_type = u64)]
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

/// Rounded to one decimal: nobody reads the others.
pub(crate) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; counts are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

/// How the last rebuild ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Rebuilt {
    /// The new generation is live; the old one is kept for a rollback, unless it could not go on.
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
        #[schema(value_type = Option<u64>)]
        compared_at: Option<Position>,
        /// The digests of the new generation's tables there.
        digests: Vec<TableDigest>,
    },
    /// The new generation differs from the live one. The live one stays; the new one is kept beside it, until an operator
    /// switches to it or drops it.
    Differs {
        /// Its number.
        generation: u32,
        /// The events that were folded.
        events: u64,
        /// How long it took.
        seconds: f64,
        /// The position at which they were compared.
        #[schema(value_type = u64)]
        compared_at: Position,
        /// The digests of the new generation's tables there.
        digests: Vec<TableDigest>,
        /// The tables whose digests differ.
        differing_tables: Vec<String>,
        /// The first rows that differ.
        differences: Vec<RowDifference>,
    },
    /// It was given up; the old generation stayed live, untouched.
    Failed {
        /// Why.
        cause: String,
    },
}

/// A row that a rebuild makes differently. Personal data stays sealed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowDifference {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The columns that differ, as far as they are told, as they are in the live generation; `null` when the row is missing there.
    pub live: Option<String>,
    /// The same as it was built anew; `null` when the row is missing there.
    pub rebuilt: Option<String>,
}

/// Characters of a row that are told.
const TOLD_CHARACTERS: usize = 400;

impl From<Difference> for RowDifference {
    fn from(found: Difference) -> Self {
        let start = |row: String| row.chars().take(TOLD_CHARACTERS).collect();
        let Difference { table, key, left, right } = found;
        Self { table, key, live: left.map(start), rebuilt: right.map(start) }
    }
}

/// A generation that is kept beside the live one, and fed like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptBeside {
    /// Which one, and what it is.
    pub kept: Kept,
    /// When it is dropped, unless somebody decides before.
    pub until: Instant,
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
    /// The generation that is kept beside the live one.
    pub kept: Option<KeptBeside>,
    /// What is parked in the live one.
    pub parked: Arc<Parked>,
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
