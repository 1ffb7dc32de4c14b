//! What an awkward neighbour does in a database: locks, too many connections, and an end to those of others.

use anyhow::{Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::awake::Awake;
use crate::patience::patience;

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

/// Who has every connection that a server gives.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// One to each database, to end there what others have open: later there is none to be had.
    within: Vec<PgConnection>,
    taken: Vec<PgConnection>,
}

impl Neighbour {
    /// Takes what is left, then ends the sessions of others and is quicker than they, until nobody has any in these databases.
    pub(crate) async fn take_all(url: &str, databases: &[String]) -> Result<Self> {
        let mut within = Vec::new();
        for database in databases {
            within.push(PgConnection::connect(database).await?);
        }
        let mut neighbour = Self { within, taken: Vec::new() };
        let begun = Awake::now();
        loop {
            neighbour.take(url).await;
            let mut ended = 0;
            for connection in &mut neighbour.within {
                ended += sqlx::query(END_SESSIONS).fetch_all(connection).await?.len();
            }
            if ended == 0 {
                return Ok(neighbour);
            }
            ensure!(begun.elapsed() < patience(), "others always come first");
        }
    }

    /// Takes every connection that is left.
    async fn take(&mut self, url: &str) {
        while let Ok(connection) = PgConnection::connect(url).await {
            self.taken.push(connection);
        }
    }

    /// How many connections.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.len() as u64
    }

    /// Gives them back.
    pub(crate) async fn leave(self) {
        for connection in self.within.into_iter().chain(self.taken) {
            // The server notices a connection that was just dropped as well.
            let _ = connection.close().await;
        }
    }
}

/// Ends what others have open in a database, as an administrator does; how many there were.
pub(crate) async fn end_sessions(url: &str) -> Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let ended = sqlx::query(END_SESSIONS).fetch_all(&mut connection).await?.len() as u64;
    connection.close().await?;
    Ok(ended)
}
