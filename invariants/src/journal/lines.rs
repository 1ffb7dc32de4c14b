//! The lines of a journal.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Stands before a client's key in the id of its command, where nobody is asked who they are.
const ANYBODY: &str = "client";
/// The same where they are, before who it is.
const KNOWN: &str = "caller";

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum JournalLine {
    /// A client is about to ask for something.
    Asked(Asked),
    /// It was answered.
    Answered(Answered),
    /// It was not answered: the connection broke, or took too long.
    Lost {
        /// Which attempt.
        attempt: u64,
        /// What became of it.
        cause: String,
    },
    /// A reader was given an event.
    Seen(Seen),
}

/// An attempt at a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its number, once in a journal.
    pub attempt: u64,
    /// Whose token it showed, as ids of commands name them, such as `staff:ada`; nobody's where it showed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// `Idempotency-Key`.
    pub key: String,
    /// Such as `/v1/orders`.
    pub path: String,
    /// What was sent.
    pub body: Value,
    /// True when a success may find that there is nothing to change, and leaves no event then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_change_nothing: bool,
}

/// An answer to an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// Which attempt.
    pub attempt: u64,
    /// HTTP status.
    pub status: u16,
    /// Whether it said that it is the answer of an earlier request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// What came.
    pub body: Value,
}

/// An event as a reader was given it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Who read: one pass over a part of the log, without a hole.
    pub reader: String,
    /// The event's place in the log, as the reader was told.
    pub position: u64,
    /// The event.
    pub event: Uuid,
}

/// A line that tells what became of an attempt of which no line before it says that it is still to be told: whatever it was
/// of, nothing can be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced {
    pub(super) attempt: u64,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt } = self;
        write!(
            f,
            "it tells what became of attempt {attempt}, and no line before it asks for that, or one has told it"
        )
    }
}

impl std::error::Error for Misplaced {}

/// Whether a command is a client's, by its id.
pub(crate) fn is_clients(command_id: &str) -> bool {
    matches!(command_id.split_once('/'), Some((ANYBODY | KNOWN, _)))
}

impl Asked {
    /// The id that the log knows the command by.
    pub(super) fn command_id(&self) -> String {
        match &self.caller {
            Some(caller) => format!("{KNOWN}/{caller}/{}", self.key),
            None => format!("{ANYBODY}/{}", self.key),
        }
    }
}
