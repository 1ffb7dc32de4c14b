//! What an awkward neighbour does in a database: locks, and too many connections.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A transaction that keeps a table to itself until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    connection: PgConnection,
}

impl Lock {
    pub(crate) async fn of(url: &str, table: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
        let lock = format!("LOCK TABLE {table} IN EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await?;
        Ok(Self { connection })
    }

    pub(crate) async fn release(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }
}

/// Takes every connection that is left; returns them.
pub(crate) async fn take_all_connections(url: &str) -> Vec<PgConnection> {
    let mut taken = Vec::new();
    while let Ok(connection) = PgConnection::connect(url).await {
        taken.push(connection);
    }
    taken
}
