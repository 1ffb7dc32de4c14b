//! Public events for browsers: server-sent events, that go on where they broke off.
//!
//! **Invariant:** what a stream tells is in the log, in order, each once after the position that the client has seen. A stream holds
//! what it is about to send and nothing else; one that can't keep up ends, and its client comes again.

mod api;
mod event_stream;
mod history;
mod order_stream;
mod places;
mod router;
mod sent;

pub(crate) use api::Streams;
pub(crate) use router::router;
