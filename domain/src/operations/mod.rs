//! What operators do to the platform itself: who, what, to which part of it, and why.
//!
//! These events decide nothing and nobody folds them: whoever is asked to act has the action recorded first, and then carries it
//! out. **Invariant:** an action that was carried out is in the log before it; one that is in the log may have been cut off, and is
//! carried out by its repeat.

mod action;
mod events;
mod record_action;

pub use action::OperatorAction;
pub use events::{OperatorActed, OperatorEvent};
pub use record_action::RecordAction;
