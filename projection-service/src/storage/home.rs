//! Where the models are: a folder with a SQLite file a generation, or a PostgreSQL database with a schema a generation;
//! the catalog stands beside them.
//!
//! **Invariant:** whatever is written here passes the fence first: one who lost the lease is refused.

use std::path::{Path, PathBuf};

use storage::postgres::PostgresSettings;
use storage::{Fence, Location};

/// The place of all models, and the proof that one may write there.
#[derive(Debug, Clone)]
pub struct Home {
    place: Place,
    pub(crate) fence: Fence,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    Postgres { settings: Box<PostgresSettings>, schema: String },
}

impl Home {
    /// A PostgreSQL database: the catalog in this schema, each generation in one whose name begins with it.
    pub fn postgres(settings: PostgresSettings, schema: impl Into<String>) -> Self {
        let place = Place::Postgres { settings: Box::new(settings), schema: schema.into() };
        Self { place, fence: Fence::Open }
    }

    /// The same place, for the holder of a lease.
    #[must_use]
    pub fn guarded(mut self, fence: Fence) -> Self {
        self.fence = fence;
        self
    }

    /// Whether several services can be on it, of which one holds the lease: a file's transaction can't see the lease of
    /// another file.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.place, Place::Postgres { .. })
    }

    /// Makes the folder, if it is one.
    pub async fn make(&self) -> std::io::Result<()> {
        match &self.place {
            Place::Folder(folder) => tokio::fs::create_dir_all(folder).await,
            Place::Postgres { .. } => Ok(()),
        }
    }

    /// Where the catalog is.
    pub fn catalog(&self) -> Location {
        match &self.place {
            Place::Folder(folder) => folder.join("catalog.db").into(),
            Place::Postgres { settings, schema } => {
                Location::postgres((**settings).clone(), schema)
            }
        }
    }

    /// Where a generation is. It sees the lease, which stands beside the catalog.
    pub fn generation(&self, name: &str, number: u32) -> Location {
        match &self.place {
            Place::Folder(folder) => folder.join(format!("{name}.g{number}.db")).into(),
            Place::Postgres { settings, schema } => {
                let own = format!("{schema}_{name}_g{number}");
                Location::postgres((**settings).clone(), own).beside(schema)
            }
        }
    }

    /// Deletes a generation, as far as it can be.
    pub async fn remove(&self, name: &str, number: u32) {
        let location = self.generation(name, number);
        if let Err(error) = location.remove().await {
            tracing::warn!(%error, %location, "an old read model could not be deleted");
        }
    }
}

impl From<PathBuf> for Home {
    fn from(folder: PathBuf) -> Self {
        Self { place: Place::Folder(folder), fence: Fence::Open }
    }
}

impl From<&PathBuf> for Home {
    fn from(folder: &PathBuf) -> Self {
        folder.clone().into()
    }
}

impl From<&Path> for Home {
    fn from(folder: &Path) -> Self {
        folder.to_owned().into()
    }
}
