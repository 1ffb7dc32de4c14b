//! What every backend promises, one case per promise: a suite for feeds and one for command queues.
//!
//! Each case gets a fresh backend. A backend's test calls [`feed_conformance_suite!`](crate::feed_conformance_suite) and
//! [`queue_conformance_suite!`](crate::queue_conformance_suite) with a function that opens one. Feeds that consumers are tested with
//! stand over a real one ([`FeedOver`]).
//!
//! **Invariant:** a promise in the documentation of a contract has a case here.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests: a panic is how they fail"
)]

pub mod feed_cases;
mod feed_over;
mod opened;
pub mod queue_cases;

pub use feed_cases::FeedUnderTest;
pub use feed_over::FeedOver;
pub use opened::opened;
pub use queue_cases::ScriptedHandler;
