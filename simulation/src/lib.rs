//! The whole platform in one thread: the real domain, processor, participants, payments, sagas and feed on a virtual clock,
//! over a log, a broker, a provider and a disk in memory that crash, delay, repeat, reorder, lose and answer late, all
//! drawn from one seed.
//!
//! It is a tool: nothing of it is shipped, and nothing that is shipped knows of it.
//!
//! **Invariant:** the same seed gives the same run, line by line of its trace. So nothing here asks the machine for time or
//! chance, and nothing runs in another thread.

mod journal;
mod listener;
mod plan;
mod ports;
mod process;
mod reading_faults;
mod rng;
mod run;
mod shrink;
mod trace;
mod violation;
mod weather;
mod world;

pub use plan::Kept;
pub use run::{Report, Settings, run};
pub use shrink::shrink;
pub use trace::SOMETIMES;
pub use violation::Violation;
