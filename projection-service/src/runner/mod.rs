//! Runs projectors: reads the feed once for all of them, applies pages, catches up, builds anew beside the live one.
//!
//! **Invariant:** a position is applied once: a page is folded from the checkpoint on, and the checkpoint moves in the
//! transaction of the rows. A projector that can't go on stands still and says so; the others go on.

pub mod applier;
pub mod apply;
mod beside;
pub mod build;
mod collected;
mod compare;
pub mod decide;
mod folding;
pub mod handle;
mod history;
mod hub;
mod keeping;
mod live;
pub(crate) mod operate;
mod parking;
pub mod rebuild;
mod rebuild_report;
mod source;
pub mod status;
pub mod stored;
mod wanted;

pub use beside::KeepFor;
pub(crate) use hub::Hub;
pub(crate) use live::{Live, NEAR, Surroundings};
