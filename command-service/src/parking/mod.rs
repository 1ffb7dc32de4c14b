//! Messages of the queue that can't be read: kept with their cause, for a person to look at.
//!
//! **Invariant:** a message is on disk here before the queue lets go of it.

mod storage;

pub use storage::ParkedCommands;
