//! What a generation is to whoever feeds it, whatever its model: pages go in, and what is wrong comes out.

use event_store::Position;
use futures::future::BoxFuture;

use crate::decoded::{Decoded, Page};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::generation::Generation;
use crate::storage::parked::{Parked, ParkedKey};

/// Why a projector stands still: an event that it can't take.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The position that it can't get over.
    #[schema(value_type = u64)]
    pub position: Position,
    /// Why.
    pub cause: String,
    /// The key that could be parked so that the others go on; none where it is no matter of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Fault {
    /// One that is no matter of a key.
    pub(crate) fn of_model(position: Position, cause: String) -> Self {
        Self { position, cause, key: None }
    }
}

/// Why a page was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An event can't be read or folded; everything before it was applied.
    #[error("the event at position {} can't be applied: {}", .0.position, .0.cause)]
    Fault(Fault),
    /// The database failed; nothing of the page was applied.
    #[error("the read model's database failed")]
    Database(#[from] sqlx::Error),
    /// Another process has taken over; nothing of the page was applied.
    #[error("another process has taken over the read models")]
    LeaseLost,
    /// Another writer moved the checkpoint.
    #[error("another writer moved the checkpoint from position {0}")]
    Fenced(Position),
    /// The rows stand further back than where the page begins: the database lost what it had committed last, as a crash of the
    /// server may do with what can be made anew. Nothing of the page was applied.
    #[error("the rows stand at position {0}, before the page")]
    Behind(Position),
}

/// Applies pages, whatever the model.
pub trait Apply<G = Generation>: Send + Sync {
    /// The generation that is written.
    fn generation(&self) -> &G;

    /// How far it has folded; the file's checkpoint may stand before events at its end that the model does not read.
    fn checkpoint(&self) -> &Checkpoint;

    /// Applies what is new in the page, up to this position.
    fn apply<'a>(
        &'a mut self,
        page: &'a Page,
        to: Position,
    ) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// What is parked.
    fn parked(&self) -> &Parked;

    /// Parks these keys. Where they are parked already nothing changes.
    fn park<'a>(&'a mut self, keys: &'a [ParkedKey]) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// Applies the events of a parked key, which are all that wait for it, and parks it no more.
    fn release<'a>(
        &'a mut self,
        key: &'a str,
        events: &'a [Decoded],
    ) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// Brings the file's checkpoint to where it stands, if it is behind.
    fn keep_position(&mut self) -> BoxFuture<'_, Result<(), ApplyError>>;
}
