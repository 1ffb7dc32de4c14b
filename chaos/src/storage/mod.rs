//! What is done to the databases from outside.

mod lease;
mod neighbour;
mod poison;

pub(crate) use lease::holder;
pub(crate) use neighbour::{Lock, end_sessions, take_all_connections};
pub(crate) use poison::{Poison, PoisonedEvent, mend_letters};
