//! NATS with JetStream as the carrier of events. It decides nothing: what relay and feed decide is theirs.
//!
//! **Invariant:** everything that relay, announcer, history and feed do with NATS passes here.

mod carrier;
mod publisher;
mod reader;

pub use carrier::NatsCarrier;
