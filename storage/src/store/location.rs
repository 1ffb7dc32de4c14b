//! Where a service's own tables are.

use std::path::{Path, PathBuf};

use crate::postgres::PostgresSettings;

/// A SQLite file, or a schema of a PostgreSQL database.
#[derive(Debug, Clone)]
pub enum Location {
    /// This file.
    File(PathBuf),
    /// This schema, which is made if need be.
    Postgres {
        /// Which database, and how sessions with it are.
        settings: Box<PostgresSettings>,
        /// Lower-case letters, digits and underscores: it is written into statements.
        schema: String,
    },
}

impl Location {
    /// This schema of a PostgreSQL database.
    pub fn postgres(settings: PostgresSettings, schema: impl Into<String>) -> Self {
        Self::Postgres { settings: Box::new(settings), schema: schema.into() }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}
