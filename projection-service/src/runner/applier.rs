//! Applies pages to one generation of one model.
//!
//! **Invariant:** rows and checkpoint commit in one transaction, lease and checkpoint compared first; a position at
//! or below the checkpoint is passed over. What is kept in memory changes only after the commit.
//!
//! The database may lose its last commits, whole and with their checkpoint. Then everything here goes back to what it has.
//!
//! A page without anything that the model reads is passed in memory only: the file's checkpoint follows with the next
//! rows, or when [`Apply::keep_position`] asks for it. Until then the file stands before events that change nothing.

use ::storage::Passed;
use event_store::Position;
use futures::future::BoxFuture;
use service_kit::generations::Generations;
use service_kit::trace::Causes;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::apply::{Apply, ApplyError, Fault};
use super::folding::Folded;
use super::stored::{Rows, Writing as _};
use crate::decoded::{Decoded, Page};
use crate::model::ReadModel;
use crate::storage::checkpoint::Checkpoint;
use crate::storage::generation::Generation;
use crate::storage::parked::{Parked, ParkedKey};

/// Applies pages to a generation of `M`.
pub struct Applier<M: ReadModel, G = Generation> {
    pub(super) generation: G,
    /// How far it has folded.
    checkpoint: Checkpoint,
    /// The checkpoint in the file: between it and the other lies nothing that the model reads.
    pub(super) kept: Checkpoint,
    /// What is parked, as it was committed.
    pub(super) parked: Parked,
    /// The model's bit in [`Decoded::readers`].
    bit: u32,
    /// The decoded rows of the last batches, so that hot rows are not read again.
    pub(super) cache: Generations<String, M::Row>,
    /// A commit failed: whether it happened is asked before anything else.
    unsure: bool,
}

/// Why a batch stopped.
pub(super) enum Stopped {
    At(Fault),
    Error(ApplyError),
}

impl From<ApplyError> for Stopped {
    fn from(error: ApplyError) -> Self {
        Self::Error(error)
    }
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Error(error.into())
    }
}

impl<M: ReadModel, G: Rows<M>> Applier<M, G> {
    /// Applies pages to this generation, which stands at this checkpoint.
    pub fn new(generation: G, checkpoint: Checkpoint, parked: Parked, bit: u32) -> Self {
        let kept = checkpoint.clone();
        generation.reached(kept.position, checkpoint.position);
        Self {
            generation,
            checkpoint,
            kept,
            parked,
            bit,
            cache: Generations::new(M::CACHED_ROWS),
            unsure: false,
        }
    }

    async fn run(&mut self, page: &Page, to: Position) -> Result<(), ApplyError> {
        let to = to.min(page.last());
        match self.batch(page, to).await {
            Ok(()) => Ok(()),
            Err(Stopped::Error(error)) => Err(error),
            Err(Stopped::At(fault)) => {
                // What stands before the event is good, and is applied.
                match self.batch(page, fault.position.saturating_sub(1)).await {
                    Ok(()) => Err(ApplyError::Fault(fault)),
                    Err(Stopped::At(fault)) => Err(ApplyError::Fault(fault)),
                    Err(Stopped::Error(error)) => Err(error),
                }
            }
        }
    }

    async fn batch(&mut self, page: &Page, to: Position) -> Result<(), Stopped> {
        self.be_sure().await?;
        let from = self.checkpoint.position;
        if page.first > from + 1 {
            return Err(ApplyError::Behind(from).into());
        }
        let Some(event_id) = page.id_at(to).filter(|_| to > from) else { return Ok(()) };
        let events: Vec<&Decoded> = page
            .events
            .iter()
            .map(AsRef::as_ref)
            .filter(|event: &&Decoded| {
                event.position > from && event.position <= to && event.readers & self.bit != 0
            })
            .collect();
        if !events.is_empty() {
            let span = span_of(M::DEFINITION.name, &events);
            self.write(&events, to, event_id).instrument(span).await?;
        }
        self.checkpoint.position = to;
        self.checkpoint.event_id = Some(event_id);
        self.tell();
        Ok(())
    }

    /// Tells readers where it stands.
    fn tell(&self) {
        self.generation.reached(self.kept.position, self.checkpoint.position);
    }

    async fn write(
        &mut self,
        events: &[&Decoded],
        to: Position,
        event_id: Uuid,
    ) -> Result<(), Stopped> {
        let mut writing = self.begin(to, event_id, false).await?;
        let loaded = self.load(&mut writing, events).await?;
        let Folded { rows, held } = self.fold(loaded, events, &self.parked)?;
        writing.write(&rows).await?;
        if !held.is_empty() {
            writing.hold(&held).await?;
        }
        self.commit(writing).await?;
        self.parked.hold(&held);
        self.kept.position = to;
        self.kept.event_id = Some(event_id);
        for row in rows {
            self.cache.put(M::key_of(&row.after).to_owned(), row.after);
        }
        Ok(())
    }

    /// Begins to write, from the checkpoint that is believed to be in the file; `durable` is what must be on disk when its commit
    /// returns.
    pub(super) async fn begin(
        &mut self,
        to: Position,
        event_id: Uuid,
        durable: bool,
    ) -> Result<G::Writing, ApplyError> {
        let (writing, passed) = self.generation.begin(&self.kept, to, event_id, durable).await?;
        match passed {
            Passed::Through => Ok(writing),
            Passed::LeaseLost => Err(ApplyError::LeaseLost),
            Passed::Moved => {
                drop(writing);
                let believed = self.kept.position;
                self.find_out().await?;
                if self.kept.position < believed {
                    return Err(ApplyError::Behind(self.kept.position));
                }
                Err(ApplyError::Fenced(believed))
            }
        }
    }

    pub(super) async fn commit(&mut self, writing: G::Writing) -> Result<(), ApplyError> {
        let committed = writing.commit().await;
        self.unsure = committed.is_err();
        Ok(committed?)
    }

    /// Looks where the rows stand, if there is a doubt.
    pub(super) async fn be_sure(&mut self) -> Result<(), ApplyError> {
        if self.unsure { self.find_out().await } else { Ok(()) }
    }

    /// After a commit that failed: it may have happened. What is in memory is not trusted any more.
    async fn find_out(&mut self) -> Result<(), ApplyError> {
        self.unsure = true;
        let believed = self.kept.position;
        let found = self.generation.find(&self.kept.identity).await?;
        (self.kept, self.parked) = found.ok_or(ApplyError::LeaseLost)?;
        self.cache = Generations::new(M::CACHED_ROWS);
        let (name, position) = (M::DEFINITION.name, self.kept.position);
        if position < believed {
            tracing::warn!(
                name,
                position,
                believed,
                "the database lost what it had committed last; it is read again"
            );
        }
        if position < believed || position > self.checkpoint.position {
            self.checkpoint = self.kept.clone();
        }
        self.tell();
        self.unsure = false;
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), ApplyError> {
        self.be_sure().await?;
        let Some(event_id) = self.checkpoint.event_id.filter(|_| self.kept != self.checkpoint)
        else {
            return self.look().await;
        };
        let to = self.checkpoint.position;
        let writing = self.begin(to, event_id, false).await?;
        self.commit(writing).await?;
        self.kept = self.checkpoint.clone();
        self.tell();
        Ok(())
    }

    /// Where there is nothing to write, the database is asked where the rows stand: one that crashed has lost what it committed last,
    /// and perhaps nobody reads and no event comes that would find it out. One that can't be asked tells nothing.
    async fn look(&mut self) -> Result<(), ApplyError> {
        match self.generation.stands_at().await {
            Ok(position) if position < self.kept.position => self.find_out().await,
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Of a batch in which something is traced.
fn span_of(model: &'static str, events: &[&Decoded]) -> Span {
    let traces = events.iter().filter_map(|event| event.traceparent.as_deref());
    Causes::of(traces).map_or_else(Span::none, |causes| {
        causes.lead_to(tracing::info_span!(
            "project",
            otel.name = %format_args!("project {model}"),
            otel.kind = "consumer",
            projection = model,
            events = events.len(),
        ))
    })
}

impl<M: ReadModel, G: Rows<M>> Apply<G> for Applier<M, G> {
    fn generation(&self) -> &G {
        &self.generation
    }

    fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn apply<'a>(
        &'a mut self,
        page: &'a Page,
        to: Position,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        Box::pin(self.run(page, to))
    }

    fn parked(&self) -> &Parked {
        &self.parked
    }

    fn park<'a>(&'a mut self, keys: &'a [ParkedKey]) -> BoxFuture<'a, Result<(), ApplyError>> {
        Box::pin(self.park_all(keys))
    }

    fn release<'a>(
        &'a mut self,
        key: &'a str,
        events: &'a [Decoded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        Box::pin(self.release_one(key, events))
    }

    fn keep_position(&mut self) -> BoxFuture<'_, Result<(), ApplyError>> {
        Box::pin(self.keep())
    }
}
