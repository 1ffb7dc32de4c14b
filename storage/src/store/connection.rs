//! A connection of either dialect, and a transaction on one.
//!
//! **Invariant:** a transaction that is dropped is rolled back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection};

use super::columns::{Columns, Values};
use super::ddl;
use super::query::{Kind, Query};
use super::sql::Sql;
use crate::postgres::Checkout;
use crate::write_transaction::WriteTransaction;

/// A connection that nobody else uses meanwhile.
pub struct Connection(Held);

enum Held {
    Sqlite(PoolConnection<Sqlite>),
    SqliteWriting(WriteTransaction),
    SqliteReading(sqlx::Transaction<'static, Sqlite>),
    Postgres(Checkout),
}

impl Connection {
    pub(super) fn sqlite(connection: PoolConnection<Sqlite>) -> Self {
        Self(Held::Sqlite(connection))
    }

    pub(super) fn postgres(connection: Checkout) -> Self {
        Self(Held::Postgres(connection))
    }

    /// Makes tables and indexes that are not there yet, from statements as SQLite wants them.
    pub async fn define(&mut self, statements: &[&'static str]) -> Result<(), sqlx::Error> {
        if let Held::Postgres(connection) = &mut self.0 {
            return connection.run(sqlx::AssertSqlSafe(ddl::for_postgres(statements))).await;
        }
        for statement in statements {
            self.query(*statement).execute().await?;
        }
        Ok(())
    }

    /// Whether it leads to PostgreSQL.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.0, Held::Postgres(_))
    }

    /// Runs a statement with an array a column, as only PostgreSQL takes them; the number of rows affected.
    pub(crate) async fn execute_columns(
        &mut self,
        sql: impl FnOnce(&[Values]) -> &'static str,
        columns: Columns,
    ) -> Result<u64, sqlx::Error> {
        let Held::Postgres(connection) = &mut self.0 else {
            return Err(sqlx::Error::Encode("SQLite has no arrays".into()));
        };
        let columns = columns.finish()?;
        let query = sqlx::query(sql(&columns));
        connection.execute(columns.into_iter().fold(query, sqlx::query::Query::bind)).await
    }

    /// A statement to be run here.
    pub fn query(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        let sql = sql.into();
        match &mut self.0 {
            Held::Sqlite(connection) => on_sqlite(connection, sql.sqlite),
            Held::SqliteWriting(transaction) => on_sqlite(transaction.connection(), sql.sqlite),
            Held::SqliteReading(transaction) => on_sqlite(transaction, sql.sqlite),
            Held::Postgres(connection) => {
                Query(Kind::Postgres(connection, sqlx::query(sql.postgres)))
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

fn on_sqlite<'c>(connection: &'c mut SqliteConnection, sql: &'static str) -> Query<'c> {
    Query(Kind::Sqlite(connection, sqlx::query(sql)))
}

/// A transaction: all or nothing.
#[derive(Debug)]
pub struct Transaction(Connection);

impl Transaction {
    pub(super) fn sqlite(transaction: WriteTransaction) -> Self {
        Self(Connection(Held::SqliteWriting(transaction)))
    }

    pub(super) fn sqlite_snapshot(transaction: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self(Connection(Held::SqliteReading(transaction)))
    }

    pub(super) fn postgres(begun: Checkout) -> Self {
        Self(Connection::postgres(begun))
    }

    /// Makes it so. When this fails, it may have been done and, on PostgreSQL, may still be.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0.0 {
            Held::SqliteWriting(transaction) => transaction.commit().await,
            Held::SqliteReading(transaction) => transaction.commit().await,
            Held::Postgres(mut connection) => connection.commit().await,
            // It was never begun: there is nothing to be done.
            Held::Sqlite(_) => Ok(()),
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
