//! Read models without a running service: those of a service, to be looked at, and those built anew from the log into a
//! folder of their own, up to any position.
//!
//! **Invariant:** what is looked at is never written, so a service may run over it; what is built belongs to the caller.

mod built;
mod error;
mod generations;
mod restored;
mod stored;

pub use built::{BuiltModel, Wanted, build_as_of};
pub use error::OfflineError;
pub use generations::{Decision, decide, keep_candidate, make_live, next_generation};
pub use restored::enter_epoch;
pub use stored::{ModelSnapshot, OtherVersion, StoredModel, Survey, Unreadable, survey};
