//! What the rest of the service holds of a live projector.

use std::sync::{Arc, PoisonError, RwLock};

use event_store::Position;
use tokio::sync::{mpsc, oneshot, watch};

use super::apply::Apply;
use super::operate::{OperateError, Operation};
use super::status::Status;
use super::stored::Stored;
use super::wanted::{Wanted, Wants};
use crate::projectors::Projector;
use crate::storage::catalog::Kept;
use crate::storage::checkpoint::Checkpoint;
use crate::storage::generation::Generation;

/// A projector that was asked to stand still for a moment.
pub(super) struct Held<G = Generation> {
    /// Where it stands.
    pub(super) checkpoint: Checkpoint,
    /// True when it can't go on from there.
    pub(super) faulted: bool,
    /// What is kept beside it.
    pub(super) kept: Option<Kept>,
    /// Lets it go on.
    pub(super) resume: oneshot::Sender<Resume<G>>,
}

/// How a projector that stood still goes on.
pub(super) enum Resume<G = Generation> {
    /// As it is.
    AsItIs,
    /// With this generation; the old one is kept beside it, which stands at the same position, or dropped.
    Switch { to: Box<dyn Apply<G>>, keep: bool },
    /// As it is, with this generation fed beside it.
    Keep(Box<dyn Apply<G>>),
    /// With the generation that was kept beside it, and the other way round.
    Swap,
    /// Without what is kept beside it, if its number is at most this.
    Drop(u32),
    /// After what an operator asked of one key, which is answered.
    Operate(Operation, oneshot::Sender<Result<(), OperateError>>),
}

/// Asks a projector to stand still.
pub(super) type Hold<G = Generation> = oneshot::Sender<Held<G>>;

/// A live projector.
#[derive(Debug)]
pub struct Handle<G = Generation> {
    /// Which one it is.
    pub projector: Projector,
    current: RwLock<G>,
    status: watch::Sender<Status>,
    holds: mpsc::Sender<Hold<G>>,
    wanted: Arc<Wanted>,
}

impl<G: Stored> Handle<G> {
    pub(super) fn new(
        projector: Projector,
        current: G,
        position: Position,
        holds: mpsc::Sender<Hold<G>>,
    ) -> Self {
        let generation = current.number();
        let status = Status { position, generation, ..Status::default() };
        let status = watch::Sender::new(status);
        let wanted = Arc::default();
        Self { projector, current: RwLock::new(current), status, holds, wanted }
    }

    /// The generation that is read now.
    pub fn current(&self) -> G {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it stands, as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// A read waits for this position: it is not held up by what more could be collected.
    pub(crate) fn want(&self, position: Position) -> Wants {
        self.wanted.want(position)
    }

    pub(super) fn wanted(&self) -> Arc<Wanted> {
        Arc::clone(&self.wanted)
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    /// Tells how the last rebuild ended, as the catalog noted it.
    pub(crate) fn tell_outcome(&self, noted: &str) {
        match serde_json::from_str(noted) {
            Ok(ended) => self.update(|status| status.last_rebuild = Some(ended)),
            Err(error) => tracing::warn!(%error, "how the last rebuild ended can't be read"),
        }
    }

    /// Lets reads go to another generation; gives back the one that they went to.
    pub(super) fn replace(&self, generation: G) -> G {
        let number = generation.number();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, generation);
        drop(current);
        self.update(|status| status.generation = number);
        old
    }

    /// Makes it stand still until it is let go; `None` when it has ended.
    pub(super) async fn hold(&self) -> Option<Held<G>> {
        let (sender, held) = oneshot::channel();
        self.holds.send(sender).await.ok()?;
        held.await.ok()
    }
}
