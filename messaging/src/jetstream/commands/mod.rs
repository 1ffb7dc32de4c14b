//! The command queue over JetStream: a work queue whose messages the sender's outbox has too.
//!
//! **Invariant:** a message is acknowledged only after the log has what became of its command. So what the broker loses
//! is sent again by its sender, and what a participant loses is delivered again by the broker.

mod consumer;
mod delivery;
mod queue;

pub use consumer::{CommandConsumer, ConsumerSettings};
pub use delivery::{Parked, Parking};
pub use queue::JetStreamQueue;
