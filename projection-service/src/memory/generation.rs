//! The models as one process reaches them, and the disk between.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::storage::Passed;
use event_store::{LogIdentity, Position, RecordedEvent};
use futures::future::{BoxFuture, ready};
use uuid::Uuid;

use super::rows::{AnyRows, MemoryRows};
use crate::model::{ReadModel, Touched};
use crate::projectors::{Projector, readers};
use crate::runner::stored::{Rows, Stored, Writing};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::parked::{HeldEvent, Parked, ParkedKey};

/// What a writer is about to do, or has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// To begin: nothing is read or written yet.
    Begin,
    /// To commit: nothing is written yet.
    Commit,
    /// To hear that the commit is done: everything is written.
    Committed,
}

/// What stands between a writer and the rows. It may take its time, fail, or never answer.
pub trait Disk: Send + Sync + 'static {
    /// Lets an access to this model through.
    fn reach<'a>(&'a self, model: &'a str, access: Access) -> BoxFuture<'a, io::Result<()>>;
}

/// All models, which outlive those who write them.
#[derive(Clone, Default)]
pub struct MemoryModels {
    kept: Arc<Models>,
}

/// The live generation of each model.
type Generations = BTreeMap<&'static str, (u32, Arc<dyn AnyRows>)>;

#[derive(Default)]
struct Models {
    /// Of the writer that opened them last.
    token: AtomicU64,
    generations: Mutex<Generations>,
}

impl MemoryModels {
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.kept.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to write. From now on whoever had it before is refused.
    pub(super) fn take_over(&self) -> u64 {
        self.kept.token.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The live generation of a model; a new one where the log began another epoch.
    pub(super) fn open(
        &self,
        projector: Projector,
        identity: &LogIdentity,
        token: u64,
        disk: &Arc<dyn Disk>,
    ) -> (MemoryGeneration, Checkpoint, Parked) {
        let name = projector.name();
        let mut generations = self.generations();
        let anew = || projector.in_memory(identity);
        let (number, rows) = generations.entry(name).or_insert_with(|| (1, anew()));
        let was = rows.checkpoint().identity;
        if was.log == identity.log && was.epoch < identity.epoch {
            (*number, *rows) = (*number + 1, anew());
        }
        let (models, disk) = (self.clone(), Arc::clone(disk));
        let (number, rows) = (*number, Arc::clone(rows));
        let (checkpoint, parked) = (rows.checkpoint(), rows.parked());
        (MemoryGeneration { name, number, rows, models, token, disk }, checkpoint, parked)
    }

    /// The database crashes, and every model loses the last so many commits since its last durable one. How many there were.
    pub fn lose_last(&self, commits: usize) -> usize {
        self.generations().values().map(|(_, rows)| rows.lose_last(commits)).sum()
    }

    /// Where each model stands, by its checkpoint.
    pub fn positions(&self) -> Vec<(&'static str, Position)> {
        let generations = self.generations();
        generations.iter().map(|(name, (_, rows))| (*name, rows.checkpoint().position)).collect()
    }

    /// What is parked: the model, the number of its generation, and the key.
    pub fn parked(&self) -> Vec<(&'static str, u32, String)> {
        let generations = self.generations();
        let parked = generations.iter().flat_map(|(name, (number, rows))| {
            let keys: Vec<_> = rows.parked().all().into_iter().map(|parked| parked.key).collect();
            keys.into_iter().map(|key| (*name, *number, key))
        });
        parked.collect()
    }

    /// The number of each model's live generation.
    pub fn numbers(&self) -> Vec<(&'static str, u32)> {
        self.generations().iter().map(|(name, (number, _))| (*name, *number)).collect()
    }

    /// Everything that is not as the fold of the whole log makes it.
    pub fn differences(&self, log: &[RecordedEvent]) -> Vec<String> {
        let Some(page) = readers().decode(log) else { return Vec::new() };
        let generations = self.generations();
        let mut found = Vec::new();
        for projector in Projector::ALL {
            let Some((_, rows)) = generations.get(projector.name()) else { continue };
            let differs = rows.differences(&page, projector.bit());
            found.extend(differs.into_iter().map(|what| format!("{}: {what}", projector.name())));
        }
        found
    }
}

/// One generation of a model in memory.
#[derive(Clone)]
pub(super) struct MemoryGeneration {
    name: &'static str,
    number: u32,
    rows: Arc<dyn AnyRows>,
    models: MemoryModels,
    token: u64,
    disk: Arc<dyn Disk>,
}

impl MemoryGeneration {
    fn has_lease(&self) -> bool {
        self.models.kept.token.load(Ordering::Relaxed) == self.token
    }

    async fn reach(&self, access: Access) -> Result<(), sqlx::Error> {
        Ok(self.disk.reach(self.name, access).await?)
    }

    /// The rows of its model.
    fn rows<M: ReadModel>(&self) -> Result<&MemoryRows<M>, sqlx::Error> {
        let rows: &dyn Any = &*self.rows;
        let rows = rows.downcast_ref();
        rows.ok_or_else(|| io::Error::other("these are the rows of another model").into())
    }
}

impl Stored for MemoryGeneration {
    type Catalog = ();

    fn number(&self) -> u32 {
        self.number
    }

    fn place(&self) -> String {
        format!("generation {} of {} in memory", self.number, self.name)
    }

    fn reached(&self, _kept: Position, _passed: Position) {}

    fn waiting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<Position>, sqlx::Error>> {
        Box::pin(ready(Ok(self.rows.waiting(key))))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn discard(self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn drop_kept<'a>(
        (): &'a (),
        _name: &'a str,
        _number: u32,
    ) -> BoxFuture<'a, Result<bool, sqlx::Error>> {
        Box::pin(ready(Ok(false)))
    }
}

impl<M: ReadModel> Rows<M> for MemoryGeneration {
    type Writing = MemoryWriting<M>;

    async fn begin(
        &self,
        from: &Checkpoint,
        to: Position,
        event_id: Uuid,
        durable: bool,
    ) -> Result<(MemoryWriting<M>, Passed), sqlx::Error> {
        self.reach(Access::Begin).await?;
        let passed = if !self.has_lease() {
            Passed::LeaseLost
        } else if self.rows.checkpoint() == *from {
            Passed::Through
        } else {
            Passed::Moved
        };
        let to = Checkpoint { position: to, event_id: Some(event_id), ..from.clone() };
        Ok((MemoryWriting::of(self, from.clone(), to, durable), passed))
    }

    async fn begin_at_start(&self) -> Result<Option<MemoryWriting<M>>, sqlx::Error> {
        self.reach(Access::Begin).await?;
        let here = self.rows.checkpoint();
        Ok(self.has_lease().then(|| MemoryWriting::of(self, here.clone(), here, true)))
    }

    async fn find(
        &self,
        _identity: &LogIdentity,
    ) -> Result<Option<(Checkpoint, Parked)>, sqlx::Error> {
        self.reach(Access::Begin).await?;
        Ok(self.has_lease().then(|| (self.rows.checkpoint(), self.rows.parked())))
    }

    async fn stands_at(&self) -> Result<Position, sqlx::Error> {
        Ok(self.rows.checkpoint().position)
    }
}

/// What is written together.
pub(super) struct MemoryWriting<M: ReadModel> {
    generation: MemoryGeneration,
    from: Checkpoint,
    to: Checkpoint,
    /// Whether a crash of the database must not lose it.
    durable: bool,
    rows: Vec<(String, M::Row)>,
    parking: Vec<Parking>,
}

/// What becomes of parked keys with a commit.
pub(super) enum Parking {
    Holds(Vec<HeldEvent>),
    Parks(ParkedKey),
    Forgets(String),
}

impl<M: ReadModel> MemoryWriting<M> {
    fn of(generation: &MemoryGeneration, from: Checkpoint, to: Checkpoint, durable: bool) -> Self {
        let (rows, parking) = (Vec::new(), Vec::new());
        Self { generation: generation.clone(), from, to, durable, rows, parking }
    }
}

impl<M: ReadModel> Writing<M> for MemoryWriting<M> {
    async fn load(&mut self, keys: &[&str]) -> Result<Vec<M::Row>, sqlx::Error> {
        let kept = self.generation.rows::<M>()?.kept();
        Ok(keys.iter().filter_map(|key| kept.rows.get(*key).cloned()).collect())
    }

    async fn write(&mut self, rows: &[Touched<M::Row>]) -> Result<(), sqlx::Error> {
        let kept = self.generation.rows::<M>()?.kept();
        if kept.checkpoint == self.from && !kept.has_before(rows) {
            // In SQL this would go into sums and keys unnoticed.
            return Err(io::Error::other("a row is not as its writer believes").into());
        }
        let after = rows.iter().map(|row| (M::key_of(&row.after).to_owned(), row.after.clone()));
        self.rows.extend(after);
        Ok(())
    }

    async fn hold(&mut self, events: &[HeldEvent]) -> Result<(), sqlx::Error> {
        self.parking.push(Parking::Holds(events.to_vec()));
        Ok(())
    }

    async fn park(&mut self, key: &ParkedKey) -> Result<(), sqlx::Error> {
        self.parking.push(Parking::Parks(key.clone()));
        Ok(())
    }

    async fn forget(&mut self, key: &str) -> Result<(), sqlx::Error> {
        self.parking.push(Parking::Forgets(key.to_owned()));
        Ok(())
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        let generation = &self.generation;
        generation.reach(Access::Commit).await?;
        {
            let mut kept = generation.rows::<M>()?.kept();
            // A database would have made one of two wait for the other.
            if !generation.has_lease() || kept.checkpoint != self.from {
                return Err(io::Error::other("another has written meanwhile").into());
            }
            kept.commit(self.to, self.rows, self.parking);
            if self.durable {
                kept.settle();
            }
        }
        generation.reach(Access::Committed).await
    }
}
