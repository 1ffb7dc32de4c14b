//! The log as its callers see it: opening, and the contract. Each operation is in a file of its own.

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use storage::{Database, Durability};
use tokio::sync::watch;

use crate::clock::{self, Clock};
use crate::contract::EventLog;
use crate::error::{AppendError, StoreError};
use crate::recent::Recent;
use crate::types::{
    AppendTransaction, Intent, LoadRequest, Loaded, LogIdentity, Position, RecordedEvent, Snapshot,
    StreamId, Verdict, Version,
};

use super::append::Appender;
use super::trouble::Trouble;
use super::{intents, load, read, schema, snapshots};

/// Connections for readers: feeds, queries, and one to spare.
const READERS: u32 = 4;

/// A log in one SQLite file.
pub struct SqliteLog {
    pub(super) database: Database,
    trouble: Trouble,
    identity: LogIdentity,
    head: watch::Sender<Position>,
    recent: Arc<Recent>,
    clock: Clock,
}

impl SqliteLog {
    /// Opens the log, making it if there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with_clock(path, clock::system()).await
    }

    /// Opens the log on another clock than the machine's.
    pub async fn open_with_clock(path: &Path, clock: Clock) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| StoreError::new("open the event log", error);
        let database = Database::open(path, Durability::Full, READERS).await.map_err(failed)?;
        storage::migrator(&schema::MIGRATIONS)
            .run(database.writer())
            .await
            .map_err(|error| StoreError::new("migrate the event log", error))?;
        let mut writer = database.writer().acquire().await.map_err(failed)?;
        schema::draw_identity(&mut writer).await.map_err(failed)?;
        drop(writer);
        Self::of(path, database, clock).await.map_err(failed)
    }

    /// Opens a log that exists, to look at it only; another process may be writing it. Appends fail, and the head
    /// stays where it was.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| StoreError::new("open the event log read-only", error);
        let database = Database::open_read_only(path, READERS).await.map_err(failed)?;
        Self::of(path, database, clock::system()).await.map_err(failed)
    }

    async fn of(path: &Path, database: Database, clock: Clock) -> Result<Self, sqlx::Error> {
        let mut reader = database.reader().acquire().await?;
        let identity = schema::identity(&mut reader).await?;
        let (head, _) = watch::channel(schema::head(&mut reader).await?);
        drop(reader);
        let trouble = Trouble::new(path, database.clone());
        Ok(Self { database, trouble, identity, head, recent: Arc::default(), clock })
    }

    /// Begins a new epoch, above this one: what others saw of the log is not, or not all, in it, as after a restore.
    pub async fn raise_epoch(&mut self, seen: u32) -> Result<(), StoreError> {
        let failed = |error: sqlx::Error| StoreError::new("raise the log's epoch", error);
        let mut writer = self.database.writer().acquire().await.map_err(failed)?;
        self.identity = schema::raise_epoch(&mut writer, seen).await.map_err(failed)?;
        Ok(())
    }

    /// Closes the file; returns when every connection is closed. Calls that are under way are waited for, later ones
    /// fail.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

impl EventLog for SqliteLog {
    fn identity(&self) -> LogIdentity {
        self.identity.clone()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        let appender = Appender {
            database: self.database.clone(),
            head: self.head.clone(),
            recent: Arc::clone(&self.recent),
            trouble: self.trouble.clone(),
            clock: self.clock.clone(),
        };
        // A task of its own: a caller that goes away can't leave a transaction half done.
        async move {
            let append = tokio::spawn(appender.append(batch)).await;
            append.unwrap_or_else(|error| Err(StoreError::new("append", error).into()))
        }
        .boxed()
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        load::load(self.database.writer(), request)
            .map(|loaded| loaded.map_err(|error| self.trouble.failed("load", error)))
            .boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        read::stream(self.database.reader(), stream, after, limit)
            .map(|events| events.map_err(|error| self.trouble.failed("read a stream", error)))
            .boxed()
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        if let Some(page) = self.recent.page(after, limit) {
            return std::future::ready(Ok(page)).boxed();
        }
        read::all(self.database.reader(), after, limit)
            .map(|events| events.map_err(|error| self.trouble.failed("read the log", error)))
            .boxed()
    }

    fn read_on(
        &self,
        after: Position,
        to: Position,
    ) -> BoxStream<'_, Result<Vec<RecordedEvent>, StoreError>> {
        read::on(self.database.reader().clone(), after, to)
            .map_err(|error| self.trouble.failed("read the log", error))
            .boxed()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        intents::open(self.database.reader())
            .map(|intents| intents.map_err(|error| self.trouble.failed("read open intents", error)))
            .boxed()
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.words()
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        snapshots::save(self.database.writer(), schema_hash, snapshots)
            .map(|saved| saved.map_err(|error| self.trouble.failed("save snapshots", error)))
            .boxed()
    }
}
