//! Where a service's own tables are.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::schema;
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
        /// Another schema whose tables are seen too.
        beside: Option<String>,
    },
}

impl Location {
    /// This schema of a PostgreSQL database.
    pub fn postgres(settings: PostgresSettings, schema: impl Into<String>) -> Self {
        Self::Postgres { settings: Box::new(settings), schema: schema.into(), beside: None }
    }

    /// Lets statements see the tables of another schema too. A file sees its own only.
    #[must_use]
    pub fn beside(mut self, other: impl Into<String>) -> Self {
        if let Self::Postgres { beside, .. } = &mut self {
            *beside = Some(other.into());
        }
        self
    }

    /// Whether there is anything.
    pub async fn exists(&self) -> Result<bool, sqlx::Error> {
        match self {
            Self::File(path) => Ok(path.is_file()),
            Self::Postgres { settings, schema, .. } => schema::exists(settings, schema).await,
        }
    }

    /// Makes the schema and lets another role make its tables there. A file belongs to whoever opens it.
    pub async fn make_for(&self, role: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::File(_) => Ok(()),
            Self::Postgres { settings, schema, .. } => {
                schema::make_for(settings, schema, role).await
            }
        }
    }

    /// Moves a damaged file out of the way, to be looked at; where it is now. What was set aside there before is replaced.
    /// Nobody may have it open.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        let Self::File(path) = self else { return Err(io::ErrorKind::Unsupported.into()) };
        let aside = with_suffix(path, ".damaged");
        remove_file(&aside)?;
        // The journal moves first: a file without it would be an older one.
        for (from, to) in renamed(path, &aside) {
            match std::fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(aside)
    }

    /// Leaves one file: takes an empty journal away that stayed beside it, because who closed it last could not write. Nobody
    /// may have it open.
    pub fn leave_one_file(&self) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let journal = with_suffix(path, "-wal");
        if std::fs::metadata(&journal).is_ok_and(|found| found.len() == 0) {
            std::fs::remove_file(journal)?;
            match std::fs::remove_file(with_suffix(path, "-shm")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes everything that is there. Nobody may have it open.
    pub async fn remove(&self) -> Result<(), sqlx::Error> {
        match self {
            Self::File(path) => remove_file(path).map_err(Into::into),
            Self::Postgres { settings, schema, .. } => schema::remove(settings, schema).await,
        }
    }
}

/// Each file of a database with its name as it is to be.
fn renamed(path: &Path, to: &Path) -> [(PathBuf, PathBuf); 3] {
    ["-wal", "-shm", ""].map(|part| (with_suffix(path, part), with_suffix(to, part)))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The file and what stands beside it.
fn remove_file(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(with_suffix(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres { settings, schema, .. } => {
                write!(f, "{} schema {schema}", settings.place())
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_journal_is_taken_away_and_one_with_something_in_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        for (part, bytes) in [("", "rows"), ("-wal", "more"), ("-shm", "index")] {
            std::fs::write(with_suffix(&path, part), bytes).unwrap();
        }
        let location = Location::from(path.clone());
        location.leave_one_file().unwrap();
        assert_eq!(files(), 3, "its rows are not in the file yet");
        std::fs::write(with_suffix(&path, "-wal"), "").unwrap();
        location.leave_one_file().unwrap();
        assert_eq!(files(), 1);
        let aside = location.set_aside().unwrap();
        assert_eq!((files(), aside.is_file(), path.exists()), (1, true, false));
    }
}
