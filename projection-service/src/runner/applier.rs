//! Applies pages to one generation of one model.
//!
//! **Invariant:** rows and checkpoint commit in one transaction, the checkpoint compared and moved first; a position at
//! or below the checkpoint is passed over. What is kept in memory changes only after the commit.
//!
//! A page without anything that the model reads is passed in memory only: the file's checkpoint follows with the next
//! rows, or when [`Apply::keep_position`] asks for it. Until then the file stands before events that change nothing.

use std::collections::HashMap;

use domain::event::Event;
use event_store::Position;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::cache::Cache;
use crate::decoded::{Decoded, Page};
use crate::folds::{FoldError, Seen};
use crate::model::{ReadModel, Touched};
use crate::sqlite::checkpoint::{self, Checkpoint};
use crate::sqlite::generation::Generation;

/// Why a projector stands still: an event that it can't take.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The position that it can't get over.
    #[schema(value_type = u64)]
    pub position: Position,
    /// Why.
    pub cause: String,
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
    /// Another writer moved the checkpoint.
    #[error("another writer moved the checkpoint from position {0}")]
    Fenced(Position),
}

/// Applies pages, whatever the model.
pub trait Apply: Send + Sync {
    /// The generation that is written.
    fn generation(&self) -> &Generation;

    /// How far it has folded; the file's checkpoint may stand before events at its end that the model does not read.
    fn checkpoint(&self) -> &Checkpoint;

    /// Applies what is new in the page, up to this position.
    fn apply<'a>(
        &'a mut self,
        page: &'a Page,
        to: Position,
    ) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// Brings the file's checkpoint to where it stands, if it is behind.
    fn keep_position(&mut self) -> BoxFuture<'_, Result<(), ApplyError>>;
}

/// Applies pages to a generation of `M`.
pub struct Applier<M: ReadModel> {
    generation: Generation,
    /// How far it has folded.
    checkpoint: Checkpoint,
    /// The checkpoint in the file: between it and the other lies nothing that the model reads.
    kept: Checkpoint,
    /// The model's bit in [`Decoded::readers`].
    bit: u32,
    cache: Cache<M::Row>,
}

/// A row before the batch and as it is folded.
type BeforeAfter<R> = (Option<R>, Option<R>);

/// Why a batch stopped.
enum Stopped {
    At(Fault),
    Error(ApplyError),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Error(error.into())
    }
}

impl<M: ReadModel> Applier<M> {
    /// Applies pages to this generation, which stands at this checkpoint.
    pub fn new(generation: Generation, checkpoint: Checkpoint, bit: u32) -> Self {
        let kept = checkpoint.clone();
        generation.reached(checkpoint.position);
        Self { generation, checkpoint, kept, bit, cache: Cache::new(M::CACHED_ROWS) }
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
        let from = self.checkpoint.position;
        let Some(event_id) = page.id_at(to).filter(|_| to > from) else { return Ok(()) };
        let events: Vec<&Decoded> = page
            .events
            .iter()
            .filter(|event| {
                event.position > from && event.position <= to && event.readers & self.bit != 0
            })
            .collect();
        if !events.is_empty() {
            self.write(&events, to, event_id).await?;
        }
        self.checkpoint.position = to;
        self.checkpoint.event_id = Some(event_id);
        self.generation.reached(to);
        Ok(())
    }

    async fn write(
        &mut self,
        events: &[&Decoded],
        to: Position,
        event_id: Uuid,
    ) -> Result<(), Stopped> {
        let mut transaction =
            self.generation.database.writer().begin_with("BEGIN IMMEDIATE").await?;
        if !checkpoint::advance(&mut transaction, &self.kept, to, event_id).await? {
            return Err(Stopped::Error(ApplyError::Fenced(self.kept.position)));
        }
        let loaded = self.load(&mut transaction, events).await?;
        let rows = self.fold(loaded, events)?;
        M::write(&mut transaction, &rows).await?;
        transaction.commit().await?;
        self.kept.position = to;
        self.kept.event_id = Some(event_id);
        for row in rows {
            self.cache.put(M::key_of(&row.after).to_owned(), row.after);
        }
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), ApplyError> {
        let Some(event_id) = self.checkpoint.event_id.filter(|_| self.kept != self.checkpoint)
        else {
            return Ok(());
        };
        let to = self.checkpoint.position;
        let mut connection = self.generation.database.writer().acquire().await?;
        if !checkpoint::advance(&mut connection, &self.kept, to, event_id).await? {
            return Err(ApplyError::Fenced(self.kept.position));
        }
        self.kept = self.checkpoint.clone();
        Ok(())
    }

    /// The rows that the events touch and the cache lacks.
    async fn load(
        &self,
        connection: &mut sqlx::SqliteConnection,
        events: &[&Decoded],
    ) -> Result<HashMap<String, M::Row>, Stopped> {
        let mut missing: Vec<&str> = events
            .iter()
            .filter_map(|event| M::key(event.event.as_ref().ok()?))
            .filter(|key| self.cache.get(key).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(HashMap::new());
        }
        let keys =
            serde_json::to_string(&missing).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let rows = M::load(connection, keys).await?;
        Ok(rows.into_iter().map(|row| (M::key_of(&row).to_owned(), row)).collect())
    }

    fn fold(
        &self,
        mut loaded: HashMap<String, M::Row>,
        events: &[&Decoded],
    ) -> Result<Vec<Touched<M::Row>>, Stopped> {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(events.len());
        let mut rows: Vec<BeforeAfter<M::Row>> = Vec::new();
        for decoded in events {
            let stop = |cause: String| Stopped::At(Fault { position: decoded.position, cause });
            let event = decoded.event.as_ref().map_err(|error| stop(error.to_string()))?;
            let Some(key) = M::key(event) else { continue };
            let place = *places.entry(key).or_insert_with(|| {
                let before = loaded.remove(key).or_else(|| self.cache.get(key).cloned());
                rows.push((before.clone(), before));
                rows.len() - 1
            });
            let row = rows[place].1.take();
            rows[place].1 = fold_one::<M>(row, event, Seen::from(*decoded))
                .map_err(|error| stop(error.to_string()))?;
        }
        let touched =
            rows.into_iter().filter_map(|(before, after)| Some(Touched { before, after: after? }));
        Ok(touched.collect())
    }
}

fn fold_one<M: ReadModel>(
    row: Option<M::Row>,
    event: &Event,
    seen: Seen,
) -> Result<Option<M::Row>, FoldError> {
    M::fold(row, event, seen)
}

impl<M: ReadModel> Apply for Applier<M> {
    fn generation(&self) -> &Generation {
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

    fn keep_position(&mut self) -> BoxFuture<'_, Result<(), ApplyError>> {
        Box::pin(self.keep())
    }
}
