//! The projectors on rows in memory: the same folds and the same runner, without queries. For simulation.
//!
//! **Invariant:** rows and checkpoint are one; of two who write only the one that opened them last gets through.

mod generation;
mod projection;
mod rows;

pub use generation::{Access, Disk, MemoryModels};
pub use projection::MemoryProjection;
pub(crate) use rows::{AnyRows, MemoryRows};
