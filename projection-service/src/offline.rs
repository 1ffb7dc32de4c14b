//! Read models without a running service: those of a service, to be looked at, and those built anew from the log into a
//! folder of their own, up to any position.
//!
//! **Invariant:** what is looked at is never written, so a service may run over it; what is built belongs to the caller.

use std::sync::Arc;

use ::storage::{Location, Store, Transaction};
use event_store::{LogIdentity, Mark, Position};
use messaging::feed::Feed;

use crate::projectors::{Projector, readers};
use crate::runner::applier::Apply;
use crate::runner::build::{BuildError, Building, OnProgress, build};
use crate::storage::catalog::{Catalog, Kept, Role};
use crate::storage::checkpoint::{self, Checkpoint};
use crate::storage::digest::{self, Difference, TableDigest};
use crate::storage::home::Home;

/// Why models could not be built.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A file can't be made or read.
    #[error("a read model's database failed")]
    Database(#[from] sqlx::Error),
    /// A model that is needed can't be read.
    #[error("{location} can't be read as a read model's database")]
    Unreadable {
        /// Where it is.
        location: String,
        /// Why it can't.
        source: sqlx::Error,
    },
    /// A model that is needed was built by another version.
    #[error(
        "the read model `{model}` was built by another version of Docket; it is built anew when a service starts"
    )]
    OtherVersion {
        /// Which one.
        model: &'static str,
    },
    /// The log can't be read or folded.
    #[error("a read model can't be built")]
    Build(#[from] BuildError),
}

/// The live generation of a model in a folder.
#[derive(Debug)]
pub struct StoredModel {
    /// Which model it is.
    pub projector: Projector,
    /// The number of its live generation.
    pub generation: u32,
    database: Store,
}

/// A model as of one moment: what is written later is not in it.
#[derive(Debug)]
pub struct ModelSnapshot {
    /// Which model it is.
    pub projector: Projector,
    /// The last position folded into it.
    pub position: Position,
    /// The log that was folded.
    pub log: LogIdentity,
    rows: Transaction,
}

/// The live models of a folder, and what is there and can't be used as one.
#[derive(Debug, Default)]
pub struct Survey {
    /// Those that can be read.
    pub models: Vec<StoredModel>,
    /// Those that another version of their definition built: they are built anew at the next start of a service.
    pub other_versions: Vec<OtherVersion>,
    /// Those whose databases can't be read.
    pub unreadable: Vec<Unreadable>,
}

/// A live model that another version of its definition built.
#[derive(Debug)]
pub struct OtherVersion {
    /// Which model it is.
    pub projector: Projector,
    /// The version that built it.
    pub version: u32,
}

/// A database that can't be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Which model it should be; `None` for the catalog of all.
    pub projector: Option<Projector>,
    /// Where it is.
    pub location: Location,
    /// Why it can't.
    pub error: sqlx::Error,
}

/// Looks at the live models of a folder, each by itself; there are none when there are no read models in it.
pub async fn survey(home: impl Into<Home>) -> Result<Survey, sqlx::Error> {
    let home = home.into();
    let mut survey = Survey::default();
    if !home.catalog().exists().await? {
        return Ok(survey);
    }
    let catalog = match named(&home).await {
        Ok(catalog) => catalog,
        Err(error) => {
            let location = home.catalog();
            survey.unreadable.push(Unreadable { projector: None, location, error });
            return Ok(survey);
        }
    };
    for (projector, generation, version) in catalog {
        if version != projector.definition().version {
            survey.other_versions.push(OtherVersion { projector, version });
            continue;
        }
        let location = home.generation(projector.name(), generation);
        match StoredModel::open(projector, generation, &location).await {
            Ok(model) => survey.models.push(model),
            Err(error) => {
                let projector = Some(projector);
                survey.unreadable.push(Unreadable { projector, location, error });
            }
        }
    }
    Ok(survey)
}

impl Survey {
    /// All of the models; an error when one can't be used.
    pub fn complete(self) -> Result<Vec<StoredModel>, OfflineError> {
        if let Some(other) = self.other_versions.first() {
            return Err(OfflineError::OtherVersion { model: other.projector.name() });
        }
        match self.unreadable.into_iter().next() {
            Some(Unreadable { location, error: source, .. }) => {
                Err(OfflineError::Unreadable { location: location.to_string(), source })
            }
            None => Ok(self.models),
        }
    }
}

/// What the catalog names: models, their live generations, and the versions that built them.
async fn named(home: &Home) -> Result<Vec<(Projector, u32, u32)>, sqlx::Error> {
    let catalog = Catalog::open_read_only(home).await?;
    let mut named = Vec::new();
    for &projector in Projector::ALL {
        match catalog.live(projector.name()).await {
            Ok(Some((generation, version))) => named.push((projector, generation, version)),
            Ok(None) => {}
            Err(error) => {
                catalog.close().await;
                return Err(error);
            }
        }
    }
    catalog.close().await;
    Ok(named)
}

impl StoredModel {
    /// Opens it and looks whether anything can be read.
    async fn open(
        projector: Projector,
        generation: u32,
        location: &Location,
    ) -> Result<Self, sqlx::Error> {
        let database = Store::open_read_only(location, 1).await?;
        let model = Self { projector, generation, database };
        match model.mark().await {
            Ok(_) => Ok(model),
            Err(error) => {
                model.close().await;
                Err(error)
            }
        }
    }

    /// The model as of now.
    pub async fn snapshot(&self) -> Result<ModelSnapshot, sqlx::Error> {
        ModelSnapshot::take(self.projector, &self.database).await
    }

    /// How far it has folded which log.
    pub async fn mark(&self) -> Result<Mark, sqlx::Error> {
        let mut reader = self.database.reader().await?;
        let checkpoint = checkpoint::find(&mut reader).await?;
        let Checkpoint { position, event_id, identity } = checkpoint;
        Ok(Mark { log: identity, position, event_id })
    }

    /// Closes it.
    pub async fn close(self) {
        self.database.close().await;
    }
}

impl ModelSnapshot {
    async fn take(projector: Projector, database: &Store) -> Result<Self, sqlx::Error> {
        let mut rows = database.snapshot().await?;
        // The snapshot is taken by the first read.
        let Checkpoint { position, identity: log, .. } = checkpoint::find(&mut rows).await?;
        Ok(Self { projector, position, log, rows })
    }

    /// Digests over every row, whole, one a table.
    pub async fn digest(&mut self) -> Result<Vec<TableDigest>, sqlx::Error> {
        digest::digest(&mut self.rows, self.projector.definition()).await
    }

    /// Digests over what two runs of the same business have in common, one a table.
    pub async fn digest_stable(&mut self) -> Result<Vec<TableDigest>, sqlx::Error> {
        digest::digest_stable(&mut self.rows, self.projector.definition()).await
    }

    /// The first `limit` rows that differ from another of the same model.
    pub async fn differences(
        &mut self,
        other: &mut Self,
        limit: usize,
    ) -> Result<Vec<Difference>, sqlx::Error> {
        let definition = self.projector.definition();
        digest::differences(&mut self.rows, &mut other.rows, definition, limit).await
    }
}

/// A model to be built: which, as which generation, and up to which position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Which model.
    pub projector: Projector,
    /// The number of the generation: a part of the file's name.
    pub generation: u32,
    /// The last position to fold.
    pub to: Position,
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
    for Wanted { projector, generation: number, .. } in &wanted {
        home.remove(projector.name(), *number).await;
        let applier = projector.open(&home, *number, &feed.identity()).await?;
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
