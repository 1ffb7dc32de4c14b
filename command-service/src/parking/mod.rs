//! Dead letters: messages of the command queue that nobody could carry out, kept with their cause until an operator has
//! them replayed.
//!
//! **Invariant:** a message is on disk here before the queue lets go of it. Its text is never changed.

mod letter;
mod storage;

pub use letter::DeadLetter;
pub(crate) use letter::NewLetter;
pub use storage::DeadLetters;
