//! How services hear of each other: the feed of events, and the queue of commands.
//!
//! Here are the contracts, a conformance suite that every backend passes, and the backends: `embedded` (one process, the
//! feed reads the log, a command message is a call) and `jetstream` (many processes, NATS between them).
//!
//! **Invariant:** whatever a transport loses, repeats or delays, a subscription delivers every position after its start
//! exactly once, in order; a command message that is lost is sent again by its sender.

pub mod commands;
pub mod conformance;
pub mod embedded;
pub mod feed;
pub mod jetstream;
pub mod record;
