//! The one task that writes: pages of events, deadlines and operators' actions come to it one after another.
//!
//! **Invariant:** what is in memory is what was committed, or it is thrown away.

mod action;
mod catch_up;
mod commit;
mod follow;
mod log_clock;
mod order_sagas;
mod page;
mod run;
mod send;
mod standby;
mod wake;
mod work;

pub(crate) use action::{Action, ActionError, ActionRequest};
pub(crate) use run::{Runner, RunnerParts};
