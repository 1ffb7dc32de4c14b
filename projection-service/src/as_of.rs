//! Builds models as they were at a position, in a place of their own, to look at.
//!
//! Nothing of the live models is touched: the place holds generation 1 of each model, built from position 1.

use std::sync::Arc;

use event_store::Position;
use messaging::feed::Feed;

use crate::inspect::Model;
use crate::projectors::{Projector, readers};
use crate::runner::apply::ApplyError;
use crate::runner::build::{BuildError, OnProgress, build};
use crate::storage::generation::Generation;
use crate::storage::home::Home;

/// Builds these models from the log up to `to`, both ends included; beyond the head it is the head.
pub async fn build_as_of(
    feed: Arc<dyn Feed>,
    home: impl Into<Home>,
    projectors: &[Projector],
    to: Position,
    progress: OnProgress,
) -> Result<Vec<Model>, BuildError> {
    let home = home.into();
    let to = to.min(*feed.head().borrow());
    let mut building = Vec::new();
    for projector in projectors {
        home.remove(projector.name(), 1).await;
        let opened = projector.open(&home, 1, &feed.identity()).await;
        building.push((projector.name(), opened.map_err(ApplyError::from)?));
    }
    let opened: Vec<Generation> =
        building.iter().map(|(_, applier)| applier.generation().clone()).collect();
    let mut failed = None;
    for built in build(feed, readers(), building, to, progress).await {
        if let Err(error) = built {
            failed = failed.or(Some(error));
        }
    }
    if let Some(error) = failed {
        for generation in opened {
            generation.database.close().await;
        }
        return Err(error);
    }
    let models = projectors.iter().zip(opened);
    Ok(models.map(|(&projector, generation)| Model::new(projector, generation)).collect())
}
