//! The feed over JetStream: the stream of events for speed, the log itself for everything that the stream has not.
//!
//! **Invariant:** a subscription gives every position after its start exactly once, in order, and only events that are
//! the log's at that position. The broker can make it slower, never wrong.

mod follow;
mod heard;
mod jetstream_feed;
mod messages;
mod subscription;

pub use jetstream_feed::JetStreamFeed;
