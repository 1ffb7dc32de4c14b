//! The logs that the processor runs over, each fresh and of its own.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use event_store::EventLog;
use event_store::memory::MemoryLog;
use event_store::postgres::PostgresLog;
use event_store::sqlite::SqliteLog;
use tempfile::TempDir;

use crate::postgres::Database;

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
    Postgres,
}

/// A log that is open.
pub(super) struct Opened {
    pub(super) log: Arc<dyn EventLog>,
    kept: Kept,
}

/// What the log stands on.
enum Kept {
    Nothing,
    Folder(Arc<SqliteLog>, TempDir),
    Database(Arc<PostgresLog>, Database),
}

impl Backend {
    /// Makes an empty one; `postgres` is the address of an admin's database.
    pub(super) async fn open(self, postgres: &str) -> Result<Opened> {
        Ok(match self {
            Self::Memory => Opened { log: Arc::new(MemoryLog::new()), kept: Kept::Nothing },
            Self::Sqlite => {
                let folder = tempfile::tempdir()?;
                let log = Arc::new(SqliteLog::open(&folder.path().join("log.db")).await?);
                Opened { log: Arc::clone(&log) as _, kept: Kept::Folder(log, folder) }
            }
            Self::Postgres => {
                let database = Database::create(postgres).await?;
                PostgresLog::migrate(database.url(), None).await?;
                let log = Arc::new(PostgresLog::open(database.url()).await?);
                log.take_over().await?;
                Opened { log: Arc::clone(&log) as _, kept: Kept::Database(log, database) }
            }
        })
    }
}

impl Opened {
    /// After the load: the database knows what is in it, and no checkpoint falls into what is measured.
    pub(super) async fn settle(&self) -> Result<()> {
        match &self.kept {
            Kept::Database(_, database) => database.settle().await,
            Kept::Nothing | Kept::Folder(..) => Ok(()),
        }
    }

    /// The same log opened once more, which has nothing in memory yet.
    pub(super) async fn reader(&self) -> Result<Arc<dyn EventLog>> {
        Ok(match &self.kept {
            Kept::Nothing => Arc::clone(&self.log),
            Kept::Folder(..) => {
                Arc::new(SqliteLog::open_read_only(Path::new(&self.place())).await?)
            }
            Kept::Database(_, database) => Arc::new(PostgresLog::open(database.url()).await?),
        })
    }

    /// Where the same rows can be read without Docket: an address, or the path of a file.
    pub(super) fn place(&self) -> String {
        match &self.kept {
            Kept::Nothing => String::new(),
            Kept::Folder(_, folder) => folder.path().join("log.db").display().to_string(),
            Kept::Database(_, database) => database.url().to_owned(),
        }
    }

    /// Closes it and takes it away.
    pub(super) async fn close(self) -> Result<()> {
        match self.kept {
            Kept::Nothing => Ok(()),
            Kept::Folder(log, folder) => {
                log.close().await;
                Ok(folder.close()?)
            }
            Kept::Database(log, database) => {
                log.close().await;
                database.remove().await
            }
        }
    }
}
