//! The store as its callers see it: opening, and the contract.

use std::path::Path;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use storage::{Database, Durability};

use crate::error::StoreError;
use crate::keys::contract::{DataKey, KeyError, KeyState, KeyStore, MasterCheck, Tombstone};
use crate::keys::inserter::Inserter;
use crate::types::Mark;

use super::insert::Table;
use super::{erase, erasures_applied, find, master_check};

const READERS: u32 = 2;

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: [(&str, &str); 3] = [
    ("0001_keys", include_str!("migrations/0001_keys.sql")),
    ("0002_master_key_check", include_str!("migrations/0002_master_key_check.sql")),
    ("0003_erasures_applied", include_str!("migrations/0003_erasures_applied.sql")),
];

/// Keys in one SQLite file.
pub struct SqliteKeys {
    database: Database,
    inserter: Inserter,
}

impl SqliteKeys {
    /// Opens the file, making it if there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| StoreError::new("open the key store", error);
        let database = Database::open(path, Durability::Full, READERS).await.map_err(failed)?;
        storage::migrator(&MIGRATIONS)
            .run(database.writer())
            .await
            .map_err(|error| StoreError::new("migrate the key store", error))?;
        // An erasure that was cut off by a crash may have left the key in the write-ahead log.
        database.truncate_log().await.map_err(failed)?;
        Ok(Self::of(database))
    }

    /// Opens a file that exists, to look at it only; another process may be writing it.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open_read_only(path, READERS).await;
        let failed = |error| StoreError::new("open the key store read-only", error);
        Ok(Self::of(database.map_err(failed)?))
    }

    fn of(database: Database) -> Self {
        let inserter = Inserter::start(Table { writer: database.writer().clone() });
        Self { database, inserter }
    }

    /// Closes the file; returns when every connection is closed.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn present_or_insert(
        &self,
        person: &str,
        candidate: DataKey,
    ) -> Result<DataKey, KeyError> {
        let found = find::person(self.database.reader(), person).await;
        match found.map_err(|error| StoreError::new("find a key", error))? {
            KeyState::Present(key) => Ok(key),
            KeyState::Erased { .. } => Err(KeyError::Erased),
            KeyState::Absent => self.inserter.insert(person, candidate).await,
        }
    }
}

impl KeyStore for SqliteKeys {
    fn get_or_insert<'a>(
        &'a self,
        person: &'a str,
        candidate: DataKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        self.present_or_insert(person, candidate).boxed()
    }

    fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>> {
        find::person(self.database.reader(), person)
            .map(|found| found.map_err(|error| StoreError::new("find a key", error)))
            .boxed()
    }

    fn erase<'a>(
        &'a self,
        person: &'a str,
        at: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        erase::person(&self.database, person, at)
            .map(|erased| erased.map_err(|error| StoreError::new("erase a key", error)))
            .boxed()
    }

    fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        find::tombstones(self.database.reader())
            .map(|found| found.map_err(|error| StoreError::new("read tombstones", error)))
            .boxed()
    }
    fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>> {
        find::any_key(self.database.reader())
            .map(|found| found.map_err(|error| StoreError::new("find any key", error)))
            .boxed()
    }

    fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>> {
        master_check::find(self.database.reader())
            .map(|found| {
                found.map_err(|error| StoreError::new("read the master key's check", error))
            })
            .boxed()
    }

    fn keep_master_check(
        &self,
        candidate: MasterCheck,
    ) -> BoxFuture<'_, Result<MasterCheck, StoreError>> {
        async move { master_check::keep(&self.database, &candidate).await }
            .map(|kept| kept.map_err(|error| StoreError::new("keep the master key's check", error)))
            .boxed()
    }

    fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>> {
        erasures_applied::find(self.database.reader())
            .map(|found| found.map_err(|error| StoreError::new("read the erasures' mark", error)))
            .boxed()
    }

    fn note_erasures_applied<'a>(
        &'a self,
        from: Option<&'a Mark>,
        to: &'a Mark,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        erasures_applied::note(self.database.writer(), from, to)
            .map(|noted| noted.map_err(|error| StoreError::new("note the erasures' mark", error)))
            .boxed()
    }
}
