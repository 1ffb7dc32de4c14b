//! What a request for history and its answers look like.

use event_store::{LogIdentity, Position, StreamId, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most events of an answer.
pub(super) const MOST_EVENTS: usize = 5_000;
/// The most bytes of an answer: the event that passes it is the last.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "read", rename_all = "snake_case")]
pub(super) enum Request {
    /// Events in position order.
    All {
        /// After this position.
        after: Position,
        /// At most this many.
        limit: usize,
    },
    /// Events of one stream.
    Stream {
        /// Its name.
        stream: StreamId,
        /// After this version.
        after: Version,
        /// At most this many.
        limit: usize,
    },
}

/// One message of an answer.
#[derive(Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Which log it is.
    pub(super) log: LogIdentity,
    /// Where the log ends.
    pub(super) head: Position,
    /// Counted from 0: one that was lost is noticed.
    pub(super) number: usize,
    /// True for the last message.
    pub(super) last: bool,
    /// Events in their envelopes.
    pub(super) events: Vec<Box<RawValue>>,
    /// Why there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}
