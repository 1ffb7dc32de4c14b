//! The broker of events: one stream, questions and answers, announcements. It loses, repeats, delays and forgets as JetStream
//! may, and each process reaches it on a connection of its own, which breaks.
//!
//! **Invariant:** a publish gets the sequence after the one that it names, or is refused: that is all that can be relied on.

mod access;
mod broker;
mod post;
mod publisher;
mod reader;
mod stream;

pub(crate) use access::CarrierAccess;
pub(crate) use broker::{EventBroker, Stray};
