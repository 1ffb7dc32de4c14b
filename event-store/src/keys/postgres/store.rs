//! The store as its callers see it: opening, and the contract.
//!
//! What an erasure means here: the key is out of the table when it returns, and no statement reads it any more. Its bytes
//! are in the table's file until the next vacuum, which is asked for at once, and in the write-ahead log until that is
//! recycled: wrapped by the master key, which stands elsewhere.

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use storage::postgres::{PostgresPool, PostgresSettings};

use crate::error::StoreError;
use crate::keys::contract::{DataKey, KeyError, KeyState, KeyStore, MasterCheck, Tombstone};
use crate::keys::inserter::Inserter;
use crate::keys::sql::mark::{MarkRow, mark};
use crate::keys::sql::{rows, statements};
use crate::types::Mark;

use super::insert::Table;

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: [(&str, &str); 4] = [
    ("0001_keys", include_str!("migrations/0001_keys.sql")),
    ("0002_service_looks", include_str!("migrations/0002_service_looks.sql")),
    ("0003_master_key_check", include_str!("migrations/0003_master_key_check.sql")),
    ("0004_erasures_applied", include_str!("migrations/0004_erasures_applied.sql")),
];

/// What was applied. The log may live in the same database.
const APPLIED: &str = "key_migrations";

const GRANT: &str = "SELECT grant_keys_to($1::name)";

/// Only the table's owner may; for another role it is a warning of the server, and autovacuum does it.
const CLEAR_AWAY: &str = "VACUUM keys";

/// Keys in a PostgreSQL database.
pub struct PostgresKeys {
    pool: PostgresPool,
    inserter: Inserter,
}

impl PostgresKeys {
    /// Makes the table, as its owner, and gives the role `service` what the service needs. Again is harmless, also from
    /// two processes at once. Without a role, whoever asks runs the service; one that is not the owner finds out that there
    /// is nothing to do, or fails.
    pub async fn migrate(owner: &str, service: Option<&str>) -> Result<(), StoreError> {
        let settings = settings(owner)?;
        let failed = |error| StoreError::new("migrate the key store", error);
        if service.is_none() {
            let pool = PostgresPool::new(&settings);
            let complete = pool.call(async |connection| {
                let migrated = storage::postgres::is_migrated(connection, APPLIED, &MIGRATIONS);
                migrated.await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))
            });
            let complete = complete.await.map_err(|error| failed(error.into()))?;
            pool.close().await;
            if complete {
                return Ok(());
            }
        }
        let grant = async |connection: &mut sqlx::PgConnection| {
            if let Some(service) = service {
                sqlx::query(GRANT).bind(service).execute(connection).await?;
            }
            Ok(())
        };
        storage::postgres::migrate(&settings, APPLIED, &MIGRATIONS, grant).await.map_err(failed)
    }

    /// Opens the store at this address, whose table is made already.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = PostgresPool::new(&settings(url)?);
        let weaknesses = pool
            .call(async |connection| {
                sqlx::query(statements::TOMBSTONES).fetch_optional(&mut *connection).await?;
                storage::postgres::weaknesses(connection).await
            })
            .await
            .map_err(|error| StoreError::new("open the key store", error))?;
        for weakness in weaknesses {
            tracing::warn!(weakness, "the key store's database is weak");
        }
        let inserter = Inserter::start(Table { writer: pool.clone() });
        Ok(Self { pool, inserter })
    }

    /// Closes every connection. Calls that are under way are waited for, later ones fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn present_or_insert(
        &self,
        person: &str,
        candidate: DataKey,
    ) -> Result<DataKey, KeyError> {
        match self.find_now(person).await? {
            KeyState::Present(key) => Ok(key),
            KeyState::Erased { .. } => Err(KeyError::Erased),
            KeyState::Absent => self.inserter.insert(person, candidate).await,
        }
    }

    async fn find_now(&self, person: &str) -> Result<KeyState, StoreError> {
        let found = self.pool.call(async |connection| {
            let row = sqlx::query(statements::FIND).bind(person).fetch_optional(connection);
            rows::state(row.await?)
        });
        found.await.map_err(|error| StoreError::new("find a key", error))
    }

    async fn master_check_now(&self) -> Result<Option<MasterCheck>, StoreError> {
        let found = self.pool.call(async |connection| {
            sqlx::query_scalar(statements::MASTER_CHECK).fetch_optional(connection).await
        });
        let sealed: Option<Vec<u8>> =
            found.await.map_err(|error| StoreError::new("read the master key's check", error))?;
        Ok(sealed.map(|sealed| MasterCheck { sealed }))
    }

    async fn keep_master_check_now(
        &self,
        candidate: &MasterCheck,
    ) -> Result<MasterCheck, StoreError> {
        let kept = self.pool.call(async |connection| {
            let keep = sqlx::query(statements::KEEP_MASTER_CHECK).bind(candidate.sealed.as_slice());
            keep.execute(&mut *connection).await?;
            // After the insert: what another process committed meanwhile counts.
            sqlx::query_scalar(statements::MASTER_CHECK).fetch_one(connection).await
        });
        let failed = |error| StoreError::new("keep the master key's check", error);
        Ok(MasterCheck { sealed: kept.await.map_err(failed)? })
    }

    async fn erasures_applied_now(&self) -> Result<Option<Mark>, StoreError> {
        let found = self.pool.call(async |connection| {
            mark(sqlx::query(statements::ERASURES_APPLIED).fetch_optional(connection).await?)
        });
        found.await.map_err(|error| StoreError::new("read the erasures' mark", error))
    }

    async fn note_now(&self, from: Option<&Mark>, to: &Mark) -> Result<bool, StoreError> {
        let noted = self.pool.call(async |connection| {
            let to = MarkRow::try_from(to)?;
            let from = from.map(MarkRow::try_from).transpose()?;
            let statement =
                if from.is_some() { statements::MOVE_APPLIED } else { statements::FIRST_APPLIED };
            let query = sqlx::query(statement).bind(to.log).bind(to.epoch);
            let mut query = query.bind(to.position).bind(to.event_id);
            if let Some(from) = from {
                query = query.bind(from.log).bind(from.epoch).bind(from.position);
                query = query.bind(from.event_id.unwrap_or_default());
            }
            Ok(query.execute(connection).await?.rows_affected() == 1)
        });
        noted.await.map_err(|error| StoreError::new("note the erasures' mark", error))
    }

    async fn erase_now(&self, person: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let erased = self.pool.call(async |connection| {
            let erase = sqlx::query(statements::ERASE).bind(person).bind(at.timestamp_micros());
            erase.execute(connection).await
        });
        erased.await.map_err(|error| StoreError::new("erase a key", error))?;
        let cleared =
            self.pool.call(async |connection| sqlx::query(CLEAR_AWAY).execute(connection).await);
        if let Err(error) = cleared.await {
            tracing::debug!(%error, "an erased key's row is left to the autovacuum");
        }
        Ok(())
    }
}

/// A commit is on disk before anything is sealed with the key.
fn settings(url: &str) -> Result<PostgresSettings, StoreError> {
    let settings = PostgresSettings::new(url, "docket keys")
        .map_err(|error| StoreError::new("read the address of the key store", error))?;
    Ok(settings.session("synchronous_commit", "on"))
}

impl KeyStore for PostgresKeys {
    fn get_or_insert<'a>(
        &'a self,
        person: &'a str,
        candidate: DataKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        self.present_or_insert(person, candidate).boxed()
    }

    fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>> {
        self.find_now(person).boxed()
    }

    fn erase<'a>(
        &'a self,
        person: &'a str,
        at: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.erase_now(person, at).boxed()
    }

    fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        async move {
            let found = self.pool.call(async |connection| {
                rows::tombstones(&sqlx::query(statements::TOMBSTONES).fetch_all(connection).await?)
            });
            found.await.map_err(|error| StoreError::new("read tombstones", error))
        }
        .boxed()
    }
    fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>> {
        async move {
            let found = self.pool.call(async |connection| {
                rows::key(sqlx::query(statements::ANY_KEY).fetch_optional(connection).await?)
            });
            found.await.map_err(|error| StoreError::new("find any key", error))
        }
        .boxed()
    }

    fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>> {
        self.master_check_now().boxed()
    }

    fn keep_master_check(
        &self,
        candidate: MasterCheck,
    ) -> BoxFuture<'_, Result<MasterCheck, StoreError>> {
        async move { self.keep_master_check_now(&candidate).await }.boxed()
    }

    fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>> {
        self.erasures_applied_now().boxed()
    }

    fn note_erasures_applied<'a>(
        &'a self,
        from: Option<&'a Mark>,
        to: &'a Mark,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.note_now(from, to).boxed()
    }
}
