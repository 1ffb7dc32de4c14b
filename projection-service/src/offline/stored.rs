//! The live models of a folder or database, as they are.

use ::storage::{Location, Store, Transaction};
use event_store::{LogIdentity, Mark, Position};
use uuid::Uuid;

use super::error::OfflineError;
use crate::projectors::Projector;
use crate::storage::catalog::Catalog;
use crate::storage::checkpoint::{self, Checkpoint};
use crate::storage::digest::{self, Difference, TableDigest};
use crate::storage::home::Home;
use crate::storage::parked::{self, Parked};

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
    /// The id of the event there; `None` before the first.
    pub event_id: Option<Uuid>,
    /// The log that was folded.
    pub log: LogIdentity,
    /// What is parked in it.
    pub parked: Parked,
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
    pub(super) async fn take(projector: Projector, database: &Store) -> Result<Self, sqlx::Error> {
        let mut rows = database.snapshot().await?;
        // The snapshot is taken by the first read.
        let Checkpoint { position, event_id, identity: log } = checkpoint::find(&mut rows).await?;
        let parked = parked::read(&mut rows).await?;
        Ok(Self { projector, position, event_id, log, parked, rows })
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
