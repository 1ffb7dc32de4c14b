//! Why a task of the service ended, or begins anew.

use event_store::Position;
use messaging::feed::FeedError;

/// Why a task ended, or begins anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It was asked to.
    #[error("it was stopped")]
    Stopped,
    /// Another process has the lease: nothing of the transaction stays.
    #[error("the lease is lost")]
    LeaseLost,
    /// The checkpoint is not where it was left: the database lost its last commits. It is read again.
    #[error("the database of the notifications lost its last commits; they are made again")]
    TakenBack,
    /// Nobody but a person can help.
    #[error("{cause}")]
    Fault { position: Position, cause: String },
    /// The feed can't be read now.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The database failed; what became of the last commit is read from it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
