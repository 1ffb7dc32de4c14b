//! The sagas of an order as pure deciders: its own, its cancellations and its returns.

mod command_end;
mod events;
mod instance;
mod reads;
mod record_command_end;
mod saga;

pub use command_end::CommandEnd;
pub use events::*;
pub use instance::*;
pub use reads::READS;
pub use record_command_end::RecordCommandEnd;
pub use saga::{DEFINITION, Saga, SagaActionError};
