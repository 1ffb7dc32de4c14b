//! What the sagas ask of this service, from the command queue into the processor.
//!
//! **Invariant:** every message ends in an event that carries its command id, or is asked for again later: the effect,
//! its refusal, that it was unneeded, or that it is parked. One append per command id, whatever comes twice.

mod message;
mod participant;
mod record;
mod replay;

pub use participant::Participants;
pub(crate) use replay::NotReplayed;
