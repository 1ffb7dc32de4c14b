//! Telling endpoints what is due for them.
//!
//! **Invariant:** each endpoint has room of its own: one that hangs fills its own, and nobody waits for it. What is about one subject goes
//! out one after the other; what fails holds back nothing else.

mod attempt;
mod dispatcher;
mod schedule;
mod verdict;

pub use schedule::Schedule;

pub(crate) use dispatcher::{Dispatcher, DispatcherParts};
