//! Starts the projectors on models in memory, as the service does on its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store::Position;
use messaging::feed::Feed;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::generation::{Disk, MemoryGeneration, MemoryModels};
use crate::projectors::{Projector, readers};
use crate::runner::handle::Handle;
use crate::runner::operate::{Operation, parkable, releasable};
use crate::runner::{Hub, KeepFor, Live, Surroundings};
use crate::service::first_position;
use crate::storage::parked::ParkedKey;

/// The projectors, running.
pub struct MemoryProjection {
    handles: Vec<Arc<Handle<MemoryGeneration>>>,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl MemoryProjection {
    /// Takes the models over, and goes on from their checkpoints.
    pub fn start(models: &MemoryModels, feed: &Arc<dyn Feed>, disk: &Arc<dyn Disk>) -> Self {
        let (token, identity) = (models.take_over(), feed.identity());
        let opened: Vec<_> = Projector::ALL
            .iter()
            .map(|&projector| {
                let (generation, checkpoint, parked) =
                    models.open(projector, &identity, token, disk);
                (projector, projector.applier(generation, checkpoint, parked))
            })
            .collect();
        let head = *feed.head().borrow();
        let first = first_position(opened.iter().map(|(_, one)| one.checkpoint().position), head);
        let stop = CancellationToken::new();
        let around = Surroundings::<MemoryGeneration> {
            feed: Arc::clone(feed),
            readers: readers(),
            hub: Hub::start(Arc::clone(feed), readers(), first, stop.clone()),
            catalog: (),
            keep_for: KeepFor::default(),
            stop: stop.clone(),
        };
        let lives = opened
            .into_iter()
            .map(|(projector, applier)| Live::new(projector, applier, None, around.clone()));
        let (handles, tasks) = lives.map(|live| (live.handle(), tokio::spawn(live.run()))).unzip();
        Self { handles, tasks, stop }
    }

    /// How far each has folded, and why it stands still if it does.
    pub fn positions(&self) -> Vec<(&'static str, Position, Option<String>)> {
        let told = self.handles.iter().map(|handle| {
            let status = handle.status().borrow().clone();
            let cause = status.fault.map(|fault| fault.cause);
            (handle.projector.name(), status.position, cause)
        });
        told.collect()
    }

    /// Parks the key at whose event a model stands still, as an operator has it done.
    pub async fn park(&self, name: &str, now: DateTime<Utc>) -> Result<String, String> {
        let handle = self.handle(name)?;
        let status = handle.status().borrow().clone();
        let position = status.fault.as_ref().map_or(status.position, |fault| fault.position);
        let (key, fault) = parkable(&status, position, None).map_err(|error| error.to_string())?;
        let (reason, actor) = ("can't be read yet".to_owned(), "operator".to_owned());
        let cause = fault.cause;
        let parked = ParkedKey { key: key.clone(), position, cause, reason, actor, parked_at: now };
        let done = handle.operate(Operation::Park(parked)).await;
        done.map(|()| key).map_err(|error| error.to_string())
    }

    /// Applies what waits for a parked key, as an operator has it done.
    pub async fn replay(&self, name: &str, key: &str) -> Result<(), String> {
        let handle = self.handle(name)?;
        let status = handle.status().borrow().clone();
        releasable(&status, key).map_err(|error| error.to_string())?;
        let done = handle.operate(Operation::Release(key.to_owned())).await;
        done.map_err(|error| error.to_string())
    }

    fn handle(&self, name: &str) -> Result<&Handle<MemoryGeneration>, String> {
        let handle = self.handles.iter().find(|handle| handle.projector.name() == name);
        handle.map(|handle| &**handle).ok_or_else(|| format!("there is no model `{name}`"))
    }

    /// Whether it ended by itself: another has taken the models over.
    pub fn has_ended(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends at once, wherever it is, as a crash would.
    pub fn kill(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.stop.cancel();
    }
}
