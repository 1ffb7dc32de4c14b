//! Having something recorded in the log by its owner, before it is done elsewhere.
//!
//! **Invariant:** when it is said to be recorded, its event is in the log; under one id it is recorded once.

use std::error::Error;

use futures::future::BoxFuture;

use crate::commands::CommandMessage;

/// Why something is not recorded. Whoever asked must not do it.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The id stands for something else.
    #[error("the id was used for something else")]
    IdReused,
    /// The owner of the log does not take it.
    #[error("it can't be recorded: {0}")]
    Refused(String),
    /// The owner of the log can't be reached, or can't say what became of it: ask again under the same id.
    #[error("the owner of the log can't be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// The log's owner, as those see it who act beside the log.
pub trait Recorder: Send + Sync + 'static {
    /// Records it; again under the same id is harmless.
    fn record(&self, message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>>;
}

/// Says that everything is recorded, and records nothing: where there is no log's owner, as in tests of one service.
#[derive(Debug, Clone, Copy)]
pub struct NothingRecorded;

impl Recorder for NothingRecorded {
    fn record(&self, _message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
