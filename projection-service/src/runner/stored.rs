//! A generation as the runner needs it: SQL, or memory for what runs on a virtual clock.
//!
//! **Invariant:** rows and checkpoint are written together or not at all, and only from the checkpoint that the writer believes
//! in, while it has the right to write.

use ::storage::Passed;
use event_store::{LogIdentity, Position};
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::model::{ReadModel, Touched};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::parked::{HeldEvent, Parked, ParkedKey};

/// One generation of some model.
pub trait Stored: Clone + Send + Sync + 'static {
    /// What says which generation is live, and which one is kept.
    type Catalog: Clone + Send + Sync + 'static;

    /// Counted from 1.
    fn number(&self) -> u32;

    /// Where it is, for people.
    fn place(&self) -> String;

    /// Notes, after the commit, where the checkpoint stands and that the rows follow the log up to a position.
    fn reached(&self, kept: Position, passed: Position);

    /// The positions of a parked key's events that wait, in order.
    fn waiting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<Position>, sqlx::Error>>;

    /// Lets go of it.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Deletes it.
    fn discard(self) -> BoxFuture<'static, ()>;

    /// Notes that this generation is not kept beside the live one any more; false when it was not.
    fn drop_kept<'a>(
        catalog: &'a Self::Catalog,
        name: &'a str,
        number: u32,
    ) -> BoxFuture<'a, Result<bool, sqlx::Error>>;
}

/// A generation of `M`.
pub trait Rows<M: ReadModel>: Stored {
    /// What is written together.
    type Writing: Writing<M>;

    /// Begins to write: the lease is compared and the checkpoint is compared and moved before anything else. `durable` is what
    /// must be on disk when its commit returns.
    fn begin(
        &self,
        from: &Checkpoint,
        to: Position,
        event_id: Uuid,
        durable: bool,
    ) -> impl Future<Output = Result<(Self::Writing, Passed), sqlx::Error>> + Send;

    /// Begins to write durably before the first event, where there is nothing to compare but the lease. `None` when another has
    /// it.
    fn begin_at_start(
        &self,
    ) -> impl Future<Output = Result<Option<Self::Writing>, sqlx::Error>> + Send;

    /// The checkpoint and what is parked, once every commit under way has ended; of this log's beginning when there is none yet. `None` when
    /// another has the right to write.
    fn find(
        &self,
        identity: &LogIdentity,
    ) -> impl Future<Output = Result<Option<(Checkpoint, Parked)>, sqlx::Error>> + Send;

    /// The position at which the rows stand.
    fn stands_at(&self) -> impl Future<Output = Result<Position, sqlx::Error>> + Send;
}

/// What is written together with the checkpoint. Dropped, nothing of it stays.
pub trait Writing<M: ReadModel>: Send {
    /// Reads the rows of these keys.
    fn load(
        &mut self,
        keys: &[&str],
    ) -> impl Future<Output = Result<Vec<M::Row>, sqlx::Error>> + Send;

    /// Writes each row once.
    fn write(
        &mut self,
        rows: &[Touched<M::Row>],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Keeps events of parked keys waiting.
    fn hold(
        &mut self,
        events: &[HeldEvent],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Parks a key.
    fn park(&mut self, key: &ParkedKey) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Parks a key no more, nor its events.
    fn forget(&mut self, key: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Makes it last. An error does not tell whether it did.
    fn commit(self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}
