//! What goes wrong with models that no service runs over.

use crate::runner::apply::ApplyError;
use crate::runner::build::BuildError;

/// Why models could not be built.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A file can't be made or read.
    #[error("a read model's database failed")]
    Database(#[from] sqlx::Error),
    /// A model that is needed can't be read.
    #[error("{location} can't be read as a read model's database")]
    Unreadable {
        /// Where it is.
        location: String,
        /// Why it can't.
        source: sqlx::Error,
    },
    /// A model that is needed was built by another version.
    #[error(
        "the read model `{model}` was built by another version of Docket; it is built anew when a service starts"
    )]
    OtherVersion {
        /// Which one.
        model: &'static str,
    },
    /// The log can't be read or folded.
    #[error("a read model can't be built")]
    Build(#[from] BuildError),
}

impl OfflineError {
    /// Whether an event of the log is the cause, and not a database or a disk.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Build(BuildError::Apply(ApplyError::Fault(_))))
    }
}
