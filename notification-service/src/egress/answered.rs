//! What came of a request.

use std::time::Duration;

/// The answer, as far as anybody here wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The HTTP status.
    pub(crate) status: u16,
    /// When to come again, if it said so in seconds.
    pub(crate) retry_after: Option<Duration>,
}
