//! The services as processes of their own: each file is one process' composition root, and names its backends.
//!
//! What they have in common is [`process`]. `docket dev` is the same services in one process.

mod args;
mod command_service;
mod databases;
mod dependencies;
mod erasures;
mod gateway;
mod master_key;
mod migrate;
mod new_epoch;
mod notification_service;
mod own_token;
mod payment_simulator;
mod person_keys;
mod process;
mod projection_service;
mod recorder;
mod registered;
mod registration;
mod saga_orchestrator;
mod saga_states;

pub(crate) use command_service::CommandServiceArgs;
pub(crate) use databases::{Databases, DatabasesArgs, KeysPlace, LogDatabaseArgs, READ_MODELS};
pub(crate) use gateway::GatewayArgs;
pub(crate) use migrate::MigrateArgs;
pub(crate) use notification_service::NotificationServiceArgs;
pub(crate) use payment_simulator::PaymentSimulatorArgs;
pub(crate) use projection_service::ProjectionServiceArgs;
pub(crate) use saga_orchestrator::SagaOrchestratorArgs;
