//! Commands: over HTTP and from the queue, through the batching processor, into the log.
//!
//! **Invariant:** whatever changes state goes through [`processor`]; nothing here reads a read model or knows another
//! service; clear personal data lives only between the parsing of a request and the vault.

mod codec;
mod erasure;
mod http;
mod ids;
mod request_hash;
mod service;
mod side_effects;

pub mod parking;
pub mod participants;
pub mod payments;
pub mod processor;

pub use erasure::{erased_person, open_erasures, replay_erasures};
pub use participants::Participants;
pub use request_hash::RequestHasher;
pub use service::{CommandService, CommandSettings, Provider};
