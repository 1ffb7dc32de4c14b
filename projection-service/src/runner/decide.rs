//! What an operator decides about the generation that is kept beside the live one.
//!
//! **Invariant:** a decision is one transaction of the catalog, made while the live one stands still.

use super::handle::{Handle, Held, Resume};
use super::rebuild::Rebuilder;
use crate::storage::catalog::{Asked, Kept, Role};

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No such generation is kept.
    #[error("no such generation is kept beside the live one")]
    NotKept,
    /// The live model has ended.
    #[error("the live model has ended")]
    Ended,
    /// The catalog can't be written.
    #[error("the catalog of projectors failed")]
    Catalog(#[from] sqlx::Error),
}

impl Rebuilder {
    /// Makes the kept generation of this role the live one, and keeps the one that was live in its place.
    pub(crate) async fn swap(
        &self,
        handle: &Handle,
        role: Role,
        asked: Option<Asked<'_>>,
    ) -> Result<(), DecisionError> {
        let (held, kept) = hold(handle).await?;
        if kept.role != role {
            return Err(DecisionError::NotKept);
        }
        let live = handle.current().number;
        if !self.catalog.swap(handle.projector.name(), live, kept, asked).await? {
            return Err(DecisionError::NotKept);
        }
        held.resume.send(Resume::Swap).map_err(|_| DecisionError::Ended)?;
        let mut status = handle.status();
        let done = status.wait_for(|status| status.generation == kept.generation).await;
        done.map(drop).map_err(|_| DecisionError::Ended)
    }

    /// Drops the kept generation, whatever its role.
    pub(crate) async fn drop_kept(
        &self,
        handle: &Handle,
        asked: Option<Asked<'_>>,
    ) -> Result<(), DecisionError> {
        let (held, Kept { generation, .. }) = hold(handle).await?;
        if !self.catalog.drop_kept(handle.projector.name(), generation, asked).await? {
            return Err(DecisionError::NotKept);
        }
        held.resume.send(Resume::Drop(generation)).map_err(|_| DecisionError::Ended)?;
        let mut status = handle.status();
        let done = status.wait_for(|status| status.kept.is_none()).await;
        done.map(drop).map_err(|_| DecisionError::Ended)
    }
}

async fn hold(handle: &Handle) -> Result<(Held, Kept), DecisionError> {
    let held = handle.hold().await.ok_or(DecisionError::Ended)?;
    let kept = held.kept.ok_or(DecisionError::NotKept)?;
    Ok((held, kept))
}
