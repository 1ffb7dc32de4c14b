//! Opening SQLite: WAL, one writer, many readers, checkpoints off the write path.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::Mutex;

use crate::checkpoint_pace::Pace;

/// What a commit means for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk when the commit returns. For whatever can't be made again.
    Full,
    /// Consistent after a loss of power, but the last commits may be gone. For whatever is rebuilt from a log together
    /// with its checkpoint.
    Rebuildable,
}

/// Pages of a write-ahead log, about 64 MiB, from which on it is begun anew: beside readers that come and go all the time it
/// would grow for ever, because each holds on to its end.
const RESTART_FROM_PAGES: i64 = 16_384;
/// How long a checkpoint may make the writer wait for readers.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(50);
/// How long a closing database waits for readers of other processes, milliseconds.
const CLOSING_PATIENCE: &str = "PRAGMA busy_timeout = 200";
/// How large a write-ahead log may stay on disk once it is begun anew, bytes.
const LOG_SIZE_LIMIT: &str = "67108864";
/// Pages that a connection keeps in memory, KiB, negated as SQLite wants it. More is slower: whenever a commit split a page of
/// an index, SQLite walks through all of them (`pcache1Truncate` after `balance_nonroot`); with 64 MiB that was a fifth of
/// the time of the log's writer.
const CACHE: &str = "-8192";
/// How long a statement waits for another connection of the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Rows that a connection's thread reads ahead of the task that takes them: with few, the two wake each other all the time.
const ROW_BUFFER: usize = 1024;

/// One SQLite file: a writer and readers.
#[derive(Debug, Clone)]
pub struct Database {
    writer: SqlitePool,
    reader: SqlitePool,
    durability: Durability,
    /// Held during a checkpoint: SQLite refuses a second one at once, without waiting.
    checkpoint: Arc<Mutex<()>>,
    /// Held by the task that makes checkpoints, as long as it has the file open.
    checkpointer: Arc<Mutex<()>>,
}

impl Database {
    /// Opens the file, making it if need be, with one writer and `readers` reading connections.
    pub async fn open(
        path: &Path,
        durability: Durability,
        readers: u32,
    ) -> Result<Self, sqlx::Error> {
        let synchronous = match durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Rebuildable => SqliteSynchronous::Normal,
        };
        let options = options(path).synchronous(synchronous);
        let writing = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", LOG_SIZE_LIMIT);
        let writer = pool(1).connect_with(writing).await?;
        let reader = pool(readers).connect_with(options.read_only(true)).await?;
        let (checkpoint, checkpointer) = (Arc::default(), Arc::<Mutex<()>>::default());
        let has_it_open = Arc::clone(&checkpointer).lock_owned().await;
        let database = Self { writer, reader, durability, checkpoint, checkpointer };
        let other = database.clone();
        let path = path.to_owned();
        tokio::spawn(async move {
            other.keep_checkpointing(path).await;
            drop(has_it_open);
        });
        Ok(database)
    }

    /// Opens a file that exists, to look at it only; another process may be writing it.
    pub async fn open_read_only(path: &Path, readers: u32) -> Result<Self, sqlx::Error> {
        let reader = pool(readers).connect_with(options(path).read_only(true)).await?;
        let (checkpoint, checkpointer) = (Arc::default(), Arc::default());
        let (writer, durability) = (reader.clone(), Durability::Full);
        Ok(Self { writer, reader, durability, checkpoint, checkpointer })
    }

    /// What a commit means here.
    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// The pool of the one writing connection. Begin with `BEGIN IMMEDIATE`: a read that turns into a write can fail.
    pub fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// The pool of the reading connections.
    pub fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// Carries the whole write-ahead log into the file and empties it, so that overwritten bytes are gone from disk.
    pub async fn truncate_log(&self) -> Result<(), sqlx::Error> {
        let _alone = self.checkpoint.lock().await;
        let busy: bool =
            sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.writer).await?;
        // SQLite says in a row, not by an error, that a reader held on to the old pages until the timeout.
        if busy { Err(io::Error::from(io::ErrorKind::ResourceBusy).into()) } else { Ok(()) }
    }

    /// Empties the write-ahead log, as far as other processes let it, and closes both pools; returns when every connection
    /// is closed. The next start then has no log to carry over.
    pub async fn close(&self) {
        // Our own readers first: they would hold on to the log.
        self.reader.close().await;
        self.leave_no_log().await;
        self.writer.close().await;
        // Whoever is the last to close the file takes away what stands beside it, if it may write.
        drop(self.checkpointer.lock().await);
    }

    /// Best effort: whatever stays is carried over by the next process that opens the file.
    async fn leave_no_log(&self) {
        if self.writer.is_closed() {
            return;
        }
        let emptied = match sqlx::query(CLOSING_PATIENCE).execute(&self.writer).await {
            Ok(_) => self.truncate_log().await,
            Err(error) => Err(error),
        };
        if let Err(error) = emptied {
            tracing::debug!(%error, "a write-ahead log stays behind");
        }
    }

    async fn keep_checkpointing(self, path: std::path::PathBuf) {
        let options = options(&path)
            .busy_timeout(CHECKPOINT_PATIENCE)
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", LOG_SIZE_LIMIT);
        let Ok(pool) = pool(1).connect_with(options).await else { return };
        let mut pace = Pace::default();
        loop {
            tokio::select! {
                () = self.writer.close_event() => break,
                () = tokio::time::sleep(pace.pause()) => {}
            }
            match self.carry_over(&pool).await {
                Ok(pages) => pace.carried_over(pages),
                // Busy readers only put it off until the next time.
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "the checkpoint of a database failed");
                }
            }
        }
        pool.close().await;
    }

    /// Carries what it can of the write-ahead log into the file, beside readers and the writer; how many pages the log has.
    async fn carry_over(&self, checkpointer: &SqlitePool) -> Result<u32, sqlx::Error> {
        let _alone = self.checkpoint.lock().await;
        let (_, pages, _): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(checkpointer).await?;
        if pages >= RESTART_FROM_PAGES {
            sqlx::query("PRAGMA wal_checkpoint(RESTART)").execute(checkpointer).await?;
        }
        // Below zero where there is no such log.
        Ok(u32::try_from(pages).unwrap_or(0))
    }
}

/// How every connection to a file is opened.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("secure_delete", "ON")
        .pragma("cache_size", CACHE)
        .pragma("temp_store", "MEMORY")
        .foreign_keys(false)
        .statement_cache_capacity(512)
        .row_buffer_size(ROW_BUFFER)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BUSY_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_write_ahead_log_stays_bounded_beside_a_reader_that_never_rests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Rebuildable, 2).await.unwrap();
        sqlx::query("CREATE TABLE t (a BLOB)").execute(database.writer()).await.unwrap();
        let other = pool(1).connect_with(options(&path)).await.unwrap();
        // Two whose slow reads overlap: there is always one that holds on to the log's end.
        let reading = [0, 1].map(|_| {
            let readers = database.clone();
            let slow = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) \
                SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM n)";
            tokio::spawn(
                async move { while sqlx::query(slow).fetch_one(readers.reader()).await.is_ok() {} },
            )
        });
        for _ in 0..12 {
            let rows = "INSERT INTO t SELECT zeroblob(1000000) FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15),(16))";
            sqlx::query(rows).execute(database.writer()).await.unwrap();
            database.carry_over(&other).await.unwrap();
        }
        for reader in reading {
            reader.abort();
        }
        let log = std::fs::metadata(folder.path().join("t.db-wal")).unwrap();
        assert!(log.len() < 150_000_000, "{} bytes", log.len());
    }

    #[tokio::test]
    async fn a_close_leaves_no_log_behind_also_beside_an_open_connection_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Full, 2).await.unwrap();
        sqlx::query("CREATE TABLE t (a BLOB)").execute(database.writer()).await.unwrap();
        // While one is open elsewhere, SQLite itself would leave the log as it is.
        let elsewhere = Database::open_read_only(&path, 1).await.unwrap();
        let rows = "INSERT INTO t VALUES (zeroblob(3000000))";
        sqlx::query(rows).execute(database.writer()).await.unwrap();
        database.close().await;
        let log = std::fs::metadata(folder.path().join("t.db-wal")).unwrap();
        assert_eq!(log.len(), 0);
        elsewhere.close().await;
    }

    #[tokio::test]
    async fn a_close_leaves_one_file() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..20 {
            let path = folder.path().join(format!("{n}.db"));
            let database = Database::open(&path, Durability::Rebuildable, 1).await.unwrap();
            sqlx::query("CREATE TABLE t (a BLOB)").execute(database.writer()).await.unwrap();
            database.close().await;
            // A reader that was the last to close it could not take the empty log away.
            crate::Location::from(path.clone()).leave_one_file().unwrap();
            let files = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(files, n + 1, "nothing stands beside {}", path.display());
        }
    }

    #[tokio::test]
    async fn the_log_is_truncated_also_while_a_checkpoint_is_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        sqlx::query("CREATE TABLE t (a TEXT)").execute(database.writer()).await.unwrap();
        let other = pool(1).connect_with(options(&path)).await.unwrap();
        for _ in 0..50 {
            let row = "INSERT INTO t VALUES (hex(randomblob(100000)))";
            sqlx::query(row).execute(database.writer()).await.unwrap();
            let (carried, truncated) =
                tokio::join!(database.carry_over(&other), database.truncate_log());
            carried.and(truncated).unwrap();
            let log = std::fs::metadata(folder.path().join("t.db-wal")).unwrap();
            assert_eq!(log.len(), 0);
        }
    }
}
