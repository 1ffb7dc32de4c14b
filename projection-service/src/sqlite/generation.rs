//! The file of one generation of a projector.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::{LogIdentity, Position};
use storage::{Database, Durability};

use super::checkpoint::{self, Checkpoint};
use crate::model::Definition;

/// Reading connections of a live model.
const READERS: u32 = 3;

/// One generation of a projector, open.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
    /// Its file.
    pub path: PathBuf,
    /// Its connections.
    pub database: Database,
    /// How far the rows follow the log; see [`Self::position_seen`].
    reached: Arc<AtomicU64>,
}

impl Generation {
    /// Opens the file, making it with its tables if need be.
    pub async fn open(
        folder: &Path,
        definition: &Definition,
        number: u32,
        identity: &LogIdentity,
    ) -> Result<(Self, Checkpoint), sqlx::Error> {
        let path = path(folder, definition.name, number);
        let database = Database::open(&path, Durability::Rebuildable, READERS).await?;
        let mut connection = database.writer().acquire().await?;
        sqlx::query(checkpoint::SCHEMA).execute(&mut *connection).await?;
        for statement in definition.schema {
            sqlx::query(*statement).execute(&mut *connection).await?;
        }
        let checkpoint = checkpoint::find_or_begin(&mut connection, identity).await?;
        drop(connection);
        Ok((Self { number, path, database, reached: Arc::default() }, checkpoint))
    }

    /// Opens a file that exists, to look at it only; another process may be writing it.
    pub async fn look(
        folder: &Path,
        definition: &Definition,
        number: u32,
    ) -> Result<Self, sqlx::Error> {
        let path = path(folder, definition.name, number);
        let database = Database::open_read_only(&path, READERS).await?;
        Ok(Self { number, path, database, reached: Arc::default() })
    }

    /// A position that every read that begins from now on shows. It may be beyond the file's checkpoint: nothing that
    /// the model reads lies between.
    pub fn position_seen(&self) -> Position {
        self.reached.load(Ordering::Acquire)
    }

    /// Notes, after the commit, that the rows follow the log up to this position.
    pub(crate) fn reached(&self, position: Position) {
        self.reached.store(position, Ordering::Release);
    }

    /// Closes it and deletes its file.
    pub async fn discard(self) {
        self.database.close().await;
        remove(&self.path);
    }
}

/// Where a generation's file is.
pub fn path(folder: &Path, name: &str, number: u32) -> PathBuf {
    folder.join(format!("{name}.g{number}.db"))
}

/// Deletes a generation's file and what stands beside it.
pub fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %path.display(), "an old read model could not be deleted");
            }
            _ => {}
        }
    }
}
