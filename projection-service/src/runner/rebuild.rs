//! Builds models anew beside the live ones, compares them at one position, and switches.
//!
//! **Invariant:** until the switch the live generation is not touched; whatever goes wrong, it stays live. The switch is
//! one transaction of the catalog, made while the live one stands still at the new one's position.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use event_store::Position;
use futures::future::join_all;
use messaging::feed::Feed;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apply::{Apply, ApplyError};
use super::build::{BuildError, Building, OnProgress, build};
use super::compare::{Snapshot, compare};
use super::handle::{Handle, Held, Resume};
use super::rebuild_report::{Built, causes, outcome, told};
use super::status::{Progress, Rebuilt};
use crate::decoded::Readers;
use crate::storage::catalog::{Asked, Catalog};
use crate::storage::generation::Generation;
use crate::storage::home::Home;

/// A generation this close to the log's head is brought to the live one's position while that one stands still.
const CLOSE: u64 = 2_000;
/// Rebuilds asked for within this time read and decode the log together, once.
const GATHER: Duration = Duration::from_millis(100);

/// Models to be built anew, each with the number of its new generation.
pub(crate) type Noted = Vec<(Arc<Handle>, u32)>;

/// Why a rebuild was not begun.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// One of the models is being rebuilt already.
    #[error("the model `{0}` is being rebuilt already")]
    Running(&'static str),
    /// The catalog can't be written.
    #[error("the catalog of projectors failed")]
    Catalog(#[from] sqlx::Error),
}

/// Why a rebuild was given up.
#[derive(Debug, thiserror::Error)]
enum GivenUp {
    #[error("it could not be built")]
    Build(#[from] BuildError),
    #[error("a database failed")]
    Database(#[from] sqlx::Error),
    #[error("the live model has ended")]
    LiveEnded,
    #[error("the catalog names another generation")]
    Catalog,
}

/// Rebuilds models.
#[derive(Clone)]
pub struct Rebuilder {
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) readers: Readers,
    pub(crate) home: Home,
    pub(crate) catalog: Catalog,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// What was asked for and not begun yet.
    pub(crate) gathered: Arc<Mutex<Noted>>,
}

impl Rebuilder {
    /// Begins to rebuild these models together, reading the log once for all of them. Returns when it is noted; the
    /// models' status tells how it goes. What was kept beside them is dropped.
    pub async fn begin(
        &self,
        handles: Vec<Arc<Handle>>,
        asked: Option<Asked<'_>>,
    ) -> Result<(), RebuildError> {
        let mut noted = Noted::new();
        for handle in handles {
            let name = handle.projector.name();
            match self.catalog.build(name, asked).await {
                Ok(Some(number)) => {
                    self.home.remove(name, number).await;
                    self.tasks.spawn(drop_kept(Arc::clone(&handle), number));
                    noted.push((handle, number));
                }
                other => {
                    for (handle, number) in noted {
                        self.catalog.give_up(handle.projector.name(), number).await?;
                    }
                    other?;
                    return Err(RebuildError::Running(name));
                }
            }
        }
        self.go_on(noted);
        Ok(())
    }

    /// Goes on with generations that the catalog says are being built.
    pub(crate) fn go_on(&self, noted: Noted) {
        let head = *self.feed.head().borrow();
        for (handle, _) in &noted {
            let begun = Progress { target: head, ..Progress::default() };
            handle.update(|status| status.rebuild = Some(begun));
        }
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let first = gathered.is_empty();
        gathered.extend(noted);
        drop(gathered);
        if !first {
            // Whoever was first takes these along.
            return;
        }
        let this = self.clone();
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = this.run_gathered() => {}
            }
        });
    }

    async fn run_gathered(&self) {
        tokio::time::sleep(GATHER).await;
        let noted = {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *gathered)
        };
        self.run(noted).await;
    }

    async fn run(&self, noted: Noted) {
        let begun = Instant::now();
        let mut opened = Vec::new();
        let mut under_way = Vec::new();
        for (handle, number) in noted {
            match self.open(&handle, number).await {
                Ok(applier) => {
                    under_way.push((handle.clone(), applier.generation().clone()));
                    opened.push((handle.projector.name(), applier));
                }
                Err(error) => self.give_up(&handle, number, &BuildError::from(error).into()).await,
            }
        }
        let handles: Vec<Arc<Handle>> =
            under_way.iter().map(|(handle, _)| Arc::clone(handle)).collect();
        let head = *self.feed.head().borrow();
        let progress = told(begun, &handles, &opened, head);
        let (feed, readers) = (Arc::clone(&self.feed), self.readers.clone());
        let built = build(feed, readers, opened, head, progress).await;
        let ends = under_way
            .into_iter()
            .zip(built)
            .map(|((handle, generation), built)| self.end(handle, generation, built, begun));
        join_all(ends).await;
    }

    /// Opens the generation that is built. What is parked stays parked in it, from the same positions on: so it is comparable,
    /// and only an operator lets a key go on.
    async fn open(&self, handle: &Handle, number: u32) -> Result<Box<dyn Apply>, ApplyError> {
        let (home, identity) = (&self.home, self.feed.identity());
        let mut applier = handle.projector.open(home, number, &identity).await?;
        let parked = handle.status().borrow().parked.all();
        match applier.park(&parked).await {
            Ok(()) => Ok(applier),
            Err(error) => {
                applier.generation().database.close().await;
                Err(error)
            }
        }
    }

    /// Switches to a generation that was built, or gives it up, and tells the model's status.
    async fn end(
        &self,
        handle: Arc<Handle>,
        generation: Generation,
        built: Result<Building, BuildError>,
        begun: Instant,
    ) {
        let ended = match built {
            Ok(building) => self.finish(&handle, generation.number, building, begun).await,
            Err(error) => Err(error.into()),
        };
        match ended {
            Ok(rebuilt) => self.tell(&handle, rebuilt).await,
            Err(error) => {
                let number = generation.number;
                generation.database.close().await;
                self.give_up(&handle, number, &error).await;
            }
        }
    }

    async fn finish(
        &self,
        handle: &Handle,
        number: u32,
        building: Building,
        begun: Instant,
    ) -> Result<Rebuilt, GivenUp> {
        let name = handle.projector.name();
        let (mut building, mut held) = self.meet(handle, building).await?;
        let (mut comparison, mut old_is_damaged) = (None, false);
        let old = handle.current();
        if building.1.checkpoint() == &held.checkpoint {
            let snapshots = snapshots(&old, building.1.generation()).await;
            let _ = held.resume.send(Resume::AsItIs);
            let compared = match snapshots {
                Ok((left, right)) if left.position == right.position => {
                    compare(handle.projector.definition(), left, right).await.map(Some)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            };
            match compared {
                Ok(found) => comparison = found,
                Err(error) if storage::is_damaged(&error) => {
                    tracing::error!(%error, name, "a live model is damaged; what was built anew takes its place");
                    old_is_damaged = true;
                }
                Err(error) => return Err(error.into()),
            }
            (building, held) = self.meet(handle, building).await?;
        }
        let events = building.1.checkpoint().position;
        let differs = comparison.as_ref().is_some_and(|found| !found.differing_tables.is_empty());
        let (noted, resume) = if differs {
            (self.catalog.keep_candidate(name, number).await?, Resume::Keep(building.1))
        } else {
            let keep =
                !held.faulted && !old_is_damaged && building.1.checkpoint() == &held.checkpoint;
            let resume = Resume::Switch { to: building.1, keep };
            (self.catalog.switch(name, number, old.number, keep).await?, resume)
        };
        if !noted {
            return Err(GivenUp::Catalog);
        }
        held.resume.send(resume).map_err(|_| GivenUp::LiveEnded)?;
        let mut status = handle.status();
        let taken = status.wait_for(|status| {
            let kept = status.kept.map(|beside| beside.kept.generation);
            status.generation == number || kept == Some(number)
        });
        taken.await.map_err(|_| GivenUp::LiveEnded)?;
        Ok(outcome(name, Built { generation: number, events, begun }, comparison))
    }

    /// Tells how a rebuild ended, also to whoever looks after a restart.
    async fn tell(&self, handle: &Handle, rebuilt: Rebuilt) {
        let name = handle.projector.name();
        let noted = match serde_json::to_string(&rebuilt) {
            Ok(text) => self.catalog.ended(name, &text).await,
            Err(error) => Err(sqlx::Error::Encode(error.into())),
        };
        if let Err(error) = noted {
            tracing::warn!(%error, name, "how a rebuild ended can't be noted");
        }
        handle.update(|status| {
            status.rebuild = None;
            status.last_rebuild = Some(rebuilt);
        });
    }

    /// Makes the live one stand still and brings the new one to its position, unless the live one can't go on.
    async fn meet(
        &self,
        handle: &Handle,
        mut building: Building,
    ) -> Result<(Building, Held), GivenUp> {
        loop {
            let log_end = *self.feed.head().borrow();
            let here = building.1.checkpoint().position;
            if here + CLOSE < log_end {
                building = self.bring(building, log_end).await?;
                continue;
            }
            let held = handle.hold().await.ok_or(GivenUp::LiveEnded)?;
            if held.faulted || held.checkpoint.identity != building.1.checkpoint().identity {
                return Ok((building, held));
            }
            let there = held.checkpoint.position;
            if there >= here {
                return Ok((self.bring(building, there).await?, held));
            }
            drop(held);
            let mut status = handle.status();
            let reached =
                status.wait_for(|status| status.position >= here || status.fault.is_some());
            reached.await.map_err(|_| GivenUp::LiveEnded)?;
        }
    }

    async fn bring(&self, building: Building, to: Position) -> Result<Building, BuildError> {
        let (feed, readers) = (Arc::clone(&self.feed), self.readers.clone());
        let quiet: OnProgress = Arc::new(|_, _| {});
        let built = build(feed, readers, vec![building], to, quiet).await;
        built.into_iter().next().unwrap_or(Err(BuildError::Ended))
    }

    async fn give_up(&self, handle: &Handle, number: u32, error: &GivenUp) {
        let name = handle.projector.name();
        let cause = causes(error);
        tracing::error!(name, cause, "a rebuild was given up; the live model stays");
        if let Err(error) = self.catalog.give_up(name, number).await {
            tracing::warn!(%error, name, "the catalog still says that a model is being built");
        }
        self.home.remove(name, number).await;
        self.tell(handle, Rebuilt::Failed { cause }).await;
    }
}

async fn snapshots(
    old: &Generation,
    new: &Generation,
) -> Result<(Snapshot, Snapshot), sqlx::Error> {
    Ok((Snapshot::open(old).await?, Snapshot::open(new).await?))
}

/// Has what is kept beside a model dropped, as soon as it can: what is numbered below the generation that is built.
async fn drop_kept(handle: Arc<Handle>, building: u32) {
    if let Some(held) = handle.hold().await {
        let _ = held.resume.send(Resume::Drop(building.saturating_sub(1)));
    }
}
