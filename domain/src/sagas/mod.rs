//! The sagas of an order as pure deciders: its own, its cancellations and its returns.

mod command_end;
mod events;
mod instance;
mod record_command_end;

pub use command_end::CommandEnd;
pub use events::*;
pub use instance::*;
pub use record_command_end::RecordCommandEnd;
