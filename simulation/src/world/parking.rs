//! Whoever looks after the read models: parks the key at which one stands still, and replays it when it should be readable again,
//! or too early.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use projection_service::memory::MemoryProjection;
use tokio::time::{sleep, timeout};

use super::state::World;

/// How often they look.
const LOOK_EVERY: Duration = Duration::from_millis(1_700);
/// They wait so long for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl World {
    /// Looks after the read models.
    pub(crate) async fn attend_models(self: Arc<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            self.note_forgotten();
            let Some(running) = self.projecting().clone() else { continue };
            let Some(projection) = running.projection() else { continue };
            for (name, position, cause) in projection.positions() {
                let Some(cause) = cause else { continue };
                self.trace.tell(format_args!("{name} stands still at {position}: {cause}"));
                self.park(projection, name).await;
            }
            for (name, number, key) in self.models.parked() {
                // Now and then before it can be read.
                if self.weather.is_calm() || self.weather.draw(|rng| rng.chance(150)) {
                    self.replay(projection, (name, number, key)).await;
                }
            }
        }
    }

    async fn park(&self, projection: &MemoryProjection, name: &'static str) {
        let told = timeout(PATIENCE, projection.park(name, (self.clock)())).await;
        self.trace.tell(format_args!("park in {name}: {told:?}"));
        let Ok(Ok(key)) = told else { return };
        self.trace.happened("a key of a read model parked");
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        // Of which generation it is: another may have begun meanwhile, and then it is not there.
        let there = self.models.parked().into_iter();
        parked.extend(there.filter(|(model, _, there)| *model == name && *there == key));
        drop(parked);
        // What an operator was told to be done outlives a crash of the database right after it.
        if !self.weather.is_calm() && self.weather.draw(|rng| rng.chance(300)) {
            self.lose_models(usize::from(self.weather.draw(|rng| rng.chance(500))) + 1);
        }
    }

    async fn replay(&self, projection: &MemoryProjection, which: (&'static str, u32, String)) {
        let (name, _, key) = &which;
        // Whatever comes of it, it may be done.
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).remove(&which);
        let told = timeout(PATIENCE, projection.replay(name, key)).await;
        self.trace.tell(format_args!("replay of {key} in {name}: {told:?}"));
        match told {
            Ok(Ok(())) => self.trace.happened("a parked key replayed"),
            Ok(Err(why)) if why.contains("still can't be applied") => {
                self.trace.happened("a replay that came too early");
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }

    /// I1: what an operator was told to be parked stays so until it is replayed.
    pub(super) fn note_forgotten(&self) {
        let there = self.models.parked();
        let numbers = self.models.numbers();
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|(name, number, key)| {
            let is_live = numbers.contains(&(*name, *number));
            let is_there = there.iter().any(|one| one == &(*name, *number, key.clone()));
            if is_live && !is_there {
                let statement =
                    format!("An operator parked `{key}` of {name}, which has forgotten it.");
                self.violations.found("I1", statement);
            }
            is_live && is_there
        });
    }
}
