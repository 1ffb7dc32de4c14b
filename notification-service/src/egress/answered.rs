//! What came of a request.

use std::time::Duration;

use super::networks::Refused;

/// The answer, as far as anybody here wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The HTTP status.
    pub(crate) status: u16,
    /// When to come again, if it said so in seconds.
    pub(crate) retry_after: Option<Duration>,
}

/// Why there is none. It is told to whoever operates the endpoint, so it names nothing of what is inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It may not be asked.
    #[error("{0}")]
    Refused(Refused),
    /// The deadline was over.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// It can't be reached.
    #[error("can't be connected to")]
    NotReached,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke before an answer")]
    Broken,
}
