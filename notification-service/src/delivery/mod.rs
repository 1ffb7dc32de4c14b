//! Telling webhooks and customers what is due for them.
//!
//! **Invariant:** each channel has room of its own: one that hangs fills its own, and nobody waits for it. What is about one subject goes
//! out one after the other; what fails holds back nothing else.

mod attempt;
mod channel;
mod dispatcher;
mod mail_verdict;
mod schedule;
mod set_back;
mod settling;
mod verdict;

pub use schedule::Schedule;

pub(crate) use dispatcher::{Dispatcher, DispatcherParts};
