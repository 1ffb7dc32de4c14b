//! The sagas of an order as pure deciders: its own, its cancellations and its returns.
//!
//! Each is a table of typed steps ([`definition`]), a fold of what it needs to know, and tracks that remember how far it
//! is in its tables. [`Saga`] is the one type that a runner sees.

mod cancellation_saga;
mod command_end;
pub mod definition;
mod desk;
mod events;
mod expiry;
mod explain;
mod instance;
mod order_authorizations;
mod order_facts;
mod order_saga;
mod order_steps;
mod pace;
mod parcel_steps;
mod parcels;
mod process;
mod purse;
mod reads;
mod record_command_end;
mod renewal;
mod return_saga;
mod saga;
mod steps;
mod track;

pub use command_end::CommandEnd;
pub use events::*;
pub use instance::*;
pub use reads::READS;
pub use record_command_end::RecordCommandEnd;
pub use saga::{DEFINITION, Saga, SagaActionError};
pub use steps::is_step;

use crate::ids::SagaId;
