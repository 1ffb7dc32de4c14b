//! The table of dead letters.

mod dead_letters;

pub use dead_letters::DeadLetters;
