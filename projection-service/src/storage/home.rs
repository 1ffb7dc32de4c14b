//! Where the models are: a folder with a SQLite file a generation, or a PostgreSQL database with a schema a generation;
//! the catalog stands beside them.
//!
//! **Invariant:** whatever is written here passes the fence first: one who lost the lease is refused.

use std::io;
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

    /// Moves a damaged generation out of the way: it is built anew from the log.
    pub(crate) fn set_aside(&self, name: &str, number: u32, error: &sqlx::Error) -> io::Result<()> {
        let location = self.generation(name, number);
        let aside = location.set_aside()?;
        tracing::error!(
            %error, file = %location, kept_as = %aside.display(),
            "the file of a read model is damaged; it is set aside, and the model `{name}` is built anew from the log"
        );
        Ok(())
    }

    /// Moves a damaged catalog out of the way, and deletes the generations that it named: they are built anew from the log.
    pub(crate) fn start_over(&self, error: &sqlx::Error) -> io::Result<()> {
        let location = self.catalog();
        let aside = location.set_aside()?;
        tracing::error!(
            %error, file = %location, kept_as = %aside.display(),
            "the catalog of the read models is damaged; it is set aside, and all models are built anew from the log"
        );
        let Place::Folder(folder) = &self.place else { return Ok(()) };
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if is_generation(&entry.file_name().to_string_lossy()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Deletes a generation, as far as it can be.
    pub async fn remove(&self, name: &str, number: u32) {
        let location = self.generation(name, number);
        if let Err(error) = location.remove().await {
            tracing::warn!(%error, %location, "an old read model could not be deleted");
        }
    }
}

/// Whether a file's name is that of a generation, or of what stands beside it.
fn is_generation(name: &str) -> bool {
    let stem = ["-wal", "-shm"].iter().fold(name, |name, part| name.trim_end_matches(part));
    let parts = stem.strip_suffix(".db").and_then(|stem| stem.rsplit_once(".g"));
    parts.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_known_by_its_name_and_nothing_else_is_one() {
        for name in ["orders.g1.db", "sales.g12.db-wal", "stock.g3.db-shm"] {
            assert!(is_generation(name), "{name}");
        }
        for name in ["catalog.db", "orders.g1.db.damaged", "orders.gx.db", "catalog.db.damaged-wal"]
        {
            assert!(!is_generation(name), "{name}");
        }
    }
}
