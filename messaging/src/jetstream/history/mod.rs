//! History by request and reply: what the stream has no more, or lost, is read from the log itself.
//!
//! A request names where to begin; the answer is several messages, each within the server's limit, together within the
//! bounds of the request. Every process that can read the log may answer.
//!
//! **Invariant:** an answer is a beginning of what was asked for, without holes.

mod client;
mod server;
mod wire;

pub use client::{HistoryClient, HistoryError, Page};
pub use server::HistoryServer;
