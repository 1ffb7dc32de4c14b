//! The saga orchestrator: feeds the sagas of every order with events, stores them, sends their commands until the log
//! shows the effects, wakes them when their time has come, and lets operators look and act.
//!
//! What a saga does is decided in `domain::sagas`; this crate only runs it.
//!
//! **Invariant:** one task writes; a saga, the commands that it wants sent, and the checkpoint change in one
//! transaction; a command is sent after that commit and again until an event bears its id; an event that can't be read
//! stops the orchestrator and is never passed over.

mod audit;
mod http;
mod in_memory;
mod orchestrator;
mod restored;
mod runner;
mod settings;
mod status;
mod storage;
mod tables;

pub use audit::{Audit, AuditedCommand, AuditedSaga, audit, mark};
pub use in_memory::MemoryOrchestrator;
pub use orchestrator::{Orchestrator, StartError};
pub use restored::enter_epoch;
pub use settings::Settings;
pub use status::{Phase, SagaSummary, Status};
pub use tables::{Access, Disk, MemoryTables};
