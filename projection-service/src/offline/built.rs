//! Models built anew from the log's beginning.

use std::sync::Arc;

use ::storage::Location;
use event_store::Position;
use messaging::feed::Feed;

use super::error::OfflineError;
use super::stored::ModelSnapshot;
use crate::projectors::{Projector, readers};
use crate::runner::apply::Apply;
use crate::runner::build::{BuildError, Building, OnProgress, build};
use crate::storage::home::Home;
use crate::storage::parked::ParkedKey;

/// A model to be built: which, as which generation, and up to which position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which model.
    pub projector: Projector,
    /// The number of the generation: a part of the file's name.
    pub generation: u32,
    /// The last position to fold.
    pub to: Position,
    /// What is parked in it, as in the model that it is compared with.
    pub parked: Vec<ParkedKey>,
}

/// A model that was built anew.
pub struct BuiltModel {
    /// Which model it is.
    pub projector: Projector,
    applier: Box<dyn Apply>,
}

impl BuiltModel {
    /// The model as it was built.
    pub async fn snapshot(&self) -> Result<ModelSnapshot, sqlx::Error> {
        ModelSnapshot::take(self.projector, &self.applier.generation().database).await
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.applier.generation().location
    }

    /// The number of its generation.
    pub fn generation(&self) -> u32 {
        self.applier.generation().number
    }

    /// Closes it; one file is left.
    pub async fn close(self) {
        self.applier.generation().database.close().await;
        let location = self.location();
        if let Err(error) = location.leave_one_file() {
            tracing::warn!(%error, %location, "an empty journal stays beside a read model");
        }
    }
}

/// Builds models from the log's beginning into a folder; files of the same generations are replaced. The log is read
/// once for all of them, unless they want different positions.
pub async fn build_as_of(
    feed: &Arc<dyn Feed>,
    home: impl Into<Home>,
    mut wanted: Vec<Wanted>,
    progress: OnProgress,
) -> Result<Vec<BuiltModel>, OfflineError> {
    let home = home.into();
    // Whoever has the least to fold is done first, and the others go on from there.
    wanted.sort_by_key(|one| one.to);
    let mut building: Vec<Building> = Vec::new();
    for Wanted { projector, generation: number, parked, .. } in &wanted {
        home.remove(projector.name(), *number).await;
        let mut applier = projector.open(&home, *number, &feed.identity()).await?;
        applier.park(parked).await.map_err(BuildError::from)?;
        building.push((projector.name(), applier));
    }
    let mut built = Vec::new();
    for Wanted { projector, to, .. } in wanted {
        let told = Arc::clone(&progress);
        let done = build(Arc::clone(feed), readers(), building, to, told).await;
        building = done.into_iter().collect::<Result<_, _>>()?;
        if building.is_empty() {
            return Err(BuildError::Ended.into());
        }
        let (_, applier) = building.remove(0);
        built.push(BuiltModel { projector, applier });
    }
    Ok(built)
}
