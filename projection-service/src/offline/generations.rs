//! Which generation of a model is live, and what becomes of the others.

use super::built::BuiltModel;
use super::stored::StoredModel;
use crate::projectors::Projector;
use crate::storage::catalog::{Catalog, Kept, Role};
use crate::storage::home::Home;

/// The first number that no generation of a model has in this folder.
pub async fn next_generation(
    home: impl Into<Home>,
    projector: Projector,
) -> Result<u32, sqlx::Error> {
    let home = home.into();
    let catalog = Catalog::open(&home).await?;
    let entry = catalog.find(projector.name()).await;
    catalog.close().await;
    Ok(entry?.map_or(1, |entry| entry.next_generation()))
}

/// Makes a model that was built in the folder of the live ones the only one of its kind. No service may run over the
/// folder.
pub async fn make_live(
    home: impl Into<Home>,
    model: BuiltModel,
    old: Option<StoredModel>,
) -> Result<(), sqlx::Error> {
    let home = home.into();
    let (projector, number) = (model.projector, model.generation());
    model.close().await;
    if let Some(old) = old {
        old.close().await;
    }
    let catalog = Catalog::open(&home).await?;
    let before = catalog.find(projector.name()).await?;
    catalog.register(projector.name(), projector.definition().version, number).await?;
    catalog.close().await;
    if let Some(before) = before {
        let kept = before.kept.map(|kept| kept.generation);
        for number in std::iter::once(before.live).chain(kept) {
            home.remove(projector.name(), number).await;
        }
    }
    Ok(())
}

/// Keeps a model that was built in the folder of the live ones beside the live one of its kind, for an operator to decide.
/// No service may run over the folder.
pub async fn keep_candidate(home: impl Into<Home>, model: BuiltModel) -> Result<(), sqlx::Error> {
    let home = home.into();
    let (projector, number) = (model.projector, model.generation());
    model.close().await;
    let catalog = Catalog::open(&home).await?;
    let before = catalog.find(projector.name()).await?.and_then(|entry| entry.kept);
    catalog.keep(projector.name(), Kept { generation: number, role: Role::Candidate }).await?;
    catalog.close().await;
    if let Some(before) = before {
        home.remove(projector.name(), before.generation).await;
    }
    Ok(())
}

/// What may be decided about the generation that is kept beside a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The one that was live before is live again.
    RollBack,
    /// The one that was built anew becomes live.
    Switch,
    /// It is dropped.
    Drop,
}

/// Carries a decision out; false when no such generation is kept. No service may run over the folder.
pub async fn decide(
    home: impl Into<Home>,
    projector: Projector,
    decision: Decision,
) -> Result<bool, sqlx::Error> {
    let home = home.into();
    let name = projector.name();
    let catalog = Catalog::open(&home).await?;
    let entry = catalog.find(name).await?;
    let kept = entry.as_ref().and_then(|entry| entry.kept);
    let decided = match (entry, kept, decision) {
        (Some(entry), Some(kept @ Kept { role: Role::Previous, .. }), Decision::RollBack)
        | (Some(entry), Some(kept @ Kept { role: Role::Candidate, .. }), Decision::Switch) => {
            catalog.swap(name, entry.live, kept, None).await?
        }
        (_, Some(kept), Decision::Drop) => {
            let dropped = catalog.drop_kept(name, kept.generation, None).await?;
            home.remove(name, kept.generation).await;
            dropped
        }
        _ => false,
    };
    catalog.close().await;
    Ok(decided)
}
