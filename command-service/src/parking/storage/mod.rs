//! The table of parked messages.

mod parked_commands;

pub use parked_commands::ParkedCommands;
