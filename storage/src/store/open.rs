//! A service's own tables, wherever they are: a SQLite file or a schema of a PostgreSQL database.
//!
//! Whoever uses it does not know which. **Invariant:** what is written between [`Store::begin`] and its commit is seen
//! whole or not at all.

use std::fmt;
use std::sync::Arc;

use sqlx::migrate::MigrateError;

use super::connection::{Connection, Transaction};
use super::location::Location;
use super::schema::{self, Schema};
use crate::write_transaction::WriteTransaction;
use crate::{Database, Durability, migrator};

const BEGIN_POSTGRES: &str = "BEGIN";
const BEGIN_DURABLE_POSTGRES: &str = "BEGIN; SET LOCAL synchronous_commit = on";
/// One snapshot for all statements, as a transaction of SQLite has it. Rows may come as slowly as they are taken, and
/// two snapshots are compared in turn; each call still has its time on our side.
const SNAPSHOT_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// Migrations as `(name, sql)` in order. Append-only in both lists: what was released is never changed.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Where it is kept on PostgreSQL which of them were applied.
    pub table: &'static str,
    /// For SQLite.
    pub sqlite: &'static [(&'static str, &'static str)],
    /// For PostgreSQL.
    pub postgres: &'static [(&'static str, &'static str)],
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(database) => database.fmt(f),
            Kind::Postgres(schema) => schema.settings.fmt(f),
        }
    }
}

/// Tables of a service, open.
#[derive(Clone)]
pub struct Store(Kind);

#[derive(Clone)]
enum Kind {
    Sqlite(Database),
    Postgres(Arc<Schema>),
}

impl Store {
    /// Opens it, making file or schema if need be. What is [`Durability::Rebuildable`] may lose its last commits when the
    /// machine, or PostgreSQL, crashes; its tables it keeps.
    pub async fn open(
        location: &Location,
        durability: Durability,
        readers: u32,
    ) -> Result<Self, sqlx::Error> {
        Ok(Self(match location {
            Location::File(path) => Kind::Sqlite(Database::open(path, durability, readers).await?),
            Location::Postgres { settings, schema, beside } => {
                schema::make(settings, schema).await?;
                let beside = beside.as_deref();
                Kind::Postgres(Schema::open(settings, schema, beside, readers, durability))
            }
        }))
    }

    /// Opens what exists, to look at it only; somebody else may be writing it.
    pub async fn open_read_only(location: &Location, readers: u32) -> Result<Self, sqlx::Error> {
        Ok(Self(match location {
            Location::File(path) => Kind::Sqlite(Database::open_read_only(path, readers).await?),
            Location::Postgres { settings, schema, beside } => {
                schema::check_name(schema)?;
                let (beside, durability) = (beside.as_deref(), Durability::Full);
                Kind::Postgres(Schema::open(settings, schema, beside, readers, durability))
            }
        }))
    }

    /// Brings the tables up to date. Of two that start at once on PostgreSQL, one does it and the other finds it done; a
    /// SQLite file has one owner.
    pub async fn migrate(&self, migrations: Migrations) -> Result<(), MigrateError> {
        match &self.0 {
            Kind::Sqlite(database) => migrator(migrations.sqlite).run(database.writer()).await,
            Kind::Postgres(schema) => {
                let nothing_more = async |_: &mut sqlx::PgConnection| Ok(());
                let (table, all) = (migrations.table, migrations.postgres);
                crate::postgres::migrate(&schema.settings, table, all, nothing_more).await
            }
        }
    }

    /// As [`migrate`](Self::migrate), for tables that live beside those of another owner. Its migrations are statements
    /// that find out by themselves whether they were run.
    pub(crate) async fn migrate_apart(&self, migrations: Migrations) -> Result<(), MigrateError> {
        match &self.0 {
            Kind::Sqlite(_) => {
                let mut connection = self.writer().await?;
                for (_, sql) in migrations.sqlite {
                    connection.query(*sql).execute().await?;
                }
                Ok(())
            }
            Kind::Postgres(_) => self.migrate(migrations).await,
        }
    }

    /// Begins to write. On SQLite there is one writer at a time.
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        match &self.0 {
            Kind::Sqlite(database) => {
                Ok(Transaction::sqlite(WriteTransaction::begin(database.writer()).await?))
            }
            Kind::Postgres(schema) => {
                let mut connection = schema.writer.checkout().await?;
                connection.begin(BEGIN_POSTGRES).await?;
                Ok(Transaction::postgres(connection))
            }
        }
    }

    /// Begins to write what must not be lost, also where the other commits may be: when its commit returns it is on disk, and
    /// with it whatever was committed before.
    pub async fn begin_durable(&self) -> Result<Transaction, sqlx::Error> {
        match &self.0 {
            Kind::Sqlite(database) if database.durability() == Durability::Rebuildable => {
                let begun = WriteTransaction::begin_durable(database.writer()).await?;
                Ok(Transaction::sqlite(begun))
            }
            Kind::Sqlite(_) => self.begin().await,
            Kind::Postgres(schema) => {
                let mut connection = schema.writer.checkout().await?;
                connection.begin(BEGIN_DURABLE_POSTGRES).await?;
                Ok(Transaction::postgres(connection))
            }
        }
    }

    /// A connection to write with, outside of a transaction, or to read what was just written.
    pub async fn writer(&self) -> Result<Connection, sqlx::Error> {
        match &self.0 {
            Kind::Sqlite(database) => Ok(Connection::sqlite(database.writer().acquire().await?)),
            Kind::Postgres(schema) => Ok(Connection::postgres(schema.writer.checkout().await?)),
        }
    }

    /// A connection to read with.
    pub async fn reader(&self) -> Result<Connection, sqlx::Error> {
        match &self.0 {
            Kind::Sqlite(database) => Ok(Connection::sqlite(database.reader().acquire().await?)),
            Kind::Postgres(schema) => Ok(Connection::postgres(schema.reader.checkout().await?)),
        }
    }

    /// Begins to read: everything that is read shows one moment, that of the first statement.
    pub async fn snapshot(&self) -> Result<Transaction, sqlx::Error> {
        match &self.0 {
            Kind::Sqlite(database) => {
                Ok(Transaction::sqlite_snapshot(database.reader().begin().await?))
            }
            Kind::Postgres(schema) => {
                let mut connection = schema.reader.checkout().await?;
                connection.begin(SNAPSHOT_POSTGRES).await?;
                Ok(Transaction::postgres(connection))
            }
        }
    }

    /// Returns when every connection is closed.
    pub async fn close(&self) {
        match &self.0 {
            Kind::Sqlite(database) => database.close().await,
            Kind::Postgres(schema) => schema.close().await,
        }
    }
}
