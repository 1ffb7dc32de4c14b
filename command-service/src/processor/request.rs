//! What is asked of the processor, and what it answers.

use std::sync::Arc;

use domain::command::Command;
use domain::event::Event;
use domain::ids::OrderId;
use domain::refusal::Refusal;
use event_store::{Metadata, StoredAnswer};

/// The part of an answer that is stored under the command id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// A JSON object as text, without version and position.
    pub body: String,
}

/// Makes the answer from the command and the events that it caused, and from nothing else: a repeat must get the same.
pub type AnswerWith = fn(&Command, &[Event]) -> Answer;

/// What becomes of a command that has no effect of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithoutEffect {
    /// The caller is told, and nothing is left behind.
    Answer,
    /// An event tells it, for whoever waits for the end of a command in the log.
    Record {
        /// The order that the command is about.
        order_id: OrderId,
    },
}

/// One command for the processor.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks and under which key.
    pub command_id: Arc<str>,
    /// What was asked, as a keyed hash.
    pub request_hash: [u8; 32],
    /// What is asked.
    pub command: Command,
    /// The version that the target stream must be at. Who says 0 saves a look, as with an id that was just drawn.
    pub expected: Option<u64>,
    /// What stands beside the events.
    pub metadata: Arc<Metadata>,
    /// How the answer is made.
    pub answer: AnswerWith,
    /// What becomes of a refusal and of a command that finds everything so already.
    pub without_effect: WithoutEffect,
}

/// The answer to a command that had its effect, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// HTTP status.
    pub status: u16,
    /// A JSON object as text, without version and position.
    pub body: String,
    /// The version of the target stream afterwards.
    pub version: u64,
    /// The position of the last event, or the head when there was none.
    pub position: u64,
    /// True when the answer is the stored one of an earlier request.
    pub replayed: bool,
}

impl Outcome {
    /// The stored answer of an earlier request.
    pub(crate) fn replayed(stored: StoredAnswer) -> Self {
        Self {
            status: stored.status,
            body: stored.body,
            version: stored.version,
            position: stored.position,
            replayed: true,
        }
    }
}

/// Why a command has no outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExecuteError {
    /// The domain refused it; nothing happened.
    #[error(transparent)]
    Refused(Refusal),
    /// It has to wait for another command that is under way.
    #[error("another command has to finish first")]
    Busy,
    /// The target is not at the version that was expected; nothing happened.
    #[error("the version is {current}, not {expected}")]
    VersionMismatch {
        /// What the caller expected.
        expected: u64,
        /// What it is.
        current: u64,
    },
    /// The command id was used for another request; nothing happened.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The command would leave an event that is larger than any consumer accepts; nothing happened.
    #[error("the event {event_type} would have {size_bytes} bytes")]
    EventTooLarge {
        /// The event's type.
        event_type: &'static str,
        /// Its encoded size.
        size_bytes: usize,
    },
    /// Too many commands wait; nothing happened.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The log did not say in time what became of the command: ask again with the same id.
    #[error("the outcome is not known yet")]
    OutcomeUnknown,
    /// The log could not be read, or other writers were always first; nothing happened.
    #[error("the log can't take the command now")]
    Unavailable,
    /// The processor is shutting down; nothing happened.
    #[error("the service is shutting down")]
    Stopped,
    /// A stream that the command needs has an event that this build can't read; nothing happened.
    #[error("the stream {stream} has an event that can't be read, at position {position}")]
    Unreadable {
        /// The stream.
        stream: Arc<str>,
        /// Where the event stands in the log.
        position: u64,
    },
    /// A state that can't be encoded, or a log that answers what it should not. Asking again does not help.
    #[error("the command could not be processed")]
    Broken,
}
