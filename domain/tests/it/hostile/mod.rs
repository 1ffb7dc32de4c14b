//! What somebody might hand over in the place of an event or a command.

mod command_law;
mod commands;
mod event_law;
mod events;
