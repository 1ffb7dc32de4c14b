//! What is done to the databases from outside.

mod lease;
mod neighbour;
mod poison;
mod segments;

pub(crate) use lease::holder;
pub(crate) use neighbour::{Lock, Neighbour, end_sessions};
pub(crate) use poison::{Poison, PoisonedEvent, mend_letters};
pub(crate) use segments::use_up_segments;
