//! The backend of one process: the feed reads the log directly, a command message is a call.
//!
//! **Invariant:** nothing is kept here that would have to survive. The log has the events, the sender's outbox has the
//! messages.

mod feed;
mod queue;
mod subscription;

pub use feed::EmbeddedFeed;
pub use queue::{EmbeddedQueue, QueueSettings};
