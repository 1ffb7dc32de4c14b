//! A look at how far the log was read, from outside. It only reads, also beside a running service.

use event_store::Mark;
use storage::Location;

/// How far which log was read for whom there is to tell; `None` when nothing was read yet.
pub async fn mark(location: impl Into<Location>) -> Result<Option<Mark>, sqlx::Error> {
    crate::storage::read_mark(&location.into()).await
}
