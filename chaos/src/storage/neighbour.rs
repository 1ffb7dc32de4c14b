//! What an awkward neighbour does in a database: locks, too many connections, and an end to those of others.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Everybody else's.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

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

/// Ends what others have open in a database, as an administrator does; how many there were.
pub(crate) async fn end_sessions(url: &str) -> Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let ended = sqlx::query(END_SESSIONS).fetch_all(&mut connection).await?.len() as u64;
    connection.close().await?;
    Ok(ended)
}
