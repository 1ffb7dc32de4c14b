//! Commands: over HTTP and from the queue, through the batching processor, into the log.
//!
//! **Invariant:** whatever changes state goes through [`processor`]; nothing here reads a read model or knows another
//! service; clear personal data lives only between the parsing of a request and the vault.

mod codec;
pub mod payments;
pub mod processor;
mod request_hash;

pub use request_hash::RequestHasher;
