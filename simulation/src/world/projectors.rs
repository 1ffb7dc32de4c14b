//! The projectors on their database, and another process of them that takes the models over when the first is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use messaging::feed::{Feed, Freshness};
use projection_service::memory::{Disk, MemoryProjection};
use tokio::time::Instant;

use super::state::World;
use crate::ports::{FaultyFeed, FaultyModelDisk};
use crate::process::Process;

/// A process of projectors that runs, or waits until it is told which log there is.
pub(crate) struct Projecting {
    process: Arc<Process>,
    /// Commits that are under way.
    committing: Arc<AtomicUsize>,
    running: OnceLock<(Arc<FaultyFeed>, MemoryProjection)>,
}

impl Projecting {
    /// Whether it hears how far the log is.
    pub(super) fn hears(&self, freshness: Freshness) {
        if let Some((feed, _)) = self.running.get() {
            feed.hears(freshness);
        }
    }

    /// It is stopped until then.
    pub(super) fn sleeps_until(&self, until: Instant) {
        self.process.sleep_until(until);
    }

    /// Those that run, if they do.
    pub(super) fn projection(&self) -> Option<&MemoryProjection> {
        let running = self.running.get().filter(|_| !self.process.is_dead());
        running.map(|(_, projection)| projection)
    }

    /// Why one of them can't go on, if that is so.
    pub(super) fn stands_still(&self) -> Option<String> {
        let (_, projection) = self.running.get()?;
        projection.positions().into_iter().find_map(|(name, position, cause)| {
            cause.map(|cause| format!("{name} stands still at {position}: {cause}"))
        })
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.running
            .get()
            .is_some_and(|(feed, projection)| feed.is_of_another_epoch() || projection.has_ended())
    }
}

impl World {
    /// Starts the projectors; those that ran before are refused from now on.
    pub(crate) fn start_projectors(self: &Arc<Self>) {
        let process = self.process("projectors");
        let (committing, running) = (Arc::default(), OnceLock::new());
        let started = Arc::new(Projecting { process, committing, running });
        *self.projecting() = Some(Arc::clone(&started));
        tokio::spawn(Arc::clone(self).project(started));
    }

    async fn project(self: Arc<Self>, started: Arc<Projecting>) {
        let process = Arc::clone(&started.process);
        let feed = Arc::new(self.feed(&process).await.read_by(&self.build));
        process.pass().await;
        let disk: Arc<dyn Disk> = Arc::new(FaultyModelDisk {
            process,
            weather: Arc::clone(&self.weather),
            trace: Arc::clone(&self.trace),
            committing: Arc::clone(&started.committing),
        });
        let read: Arc<dyn Feed> = Arc::clone(&feed) as _;
        let projection = MemoryProjection::start(&self.models, &read, &disk);
        // It is started once.
        let _running = started.running.set((feed, projection));
    }

    /// Kills them.
    pub(crate) fn kill_projectors(&self) {
        let Some(killed) = self.projecting().take() else { return };
        killed.process.kill();
        if let Some((_, projection)) = killed.running.get() {
            projection.kill();
        }
        self.trace.tell(format_args!("{} is killed", killed.process.name));
        self.trace.happened("a crash of the projectors");
        if killed.committing.load(Ordering::Relaxed) > 0 {
            self.trace.happened("a crash of the projectors in the middle of a batch");
        }
    }
}
