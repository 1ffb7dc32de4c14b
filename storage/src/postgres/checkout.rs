//! A connection of a pool for more than one call, with a time for each.
//!
//! **Invariant:** it goes back to the pool only at rest: after a call that failed, ran out of time or was dropped by its
//! caller it is closed, and with it whatever it had begun. A transaction that nobody ended is rolled back first.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Executor as _, PgConnection, Postgres, SqlSafeStr};
use tokio::time::timeout;

use super::pool::{Idle, PostgresPool, Shared};

type PgQuery = Query<'static, Postgres, PgArguments>;

/// A connection that nobody else uses meanwhile.
pub struct Checkout {
    shared: Arc<Shared>,
    /// `None` only once it was given back.
    connection: Option<PgConnection>,
    /// A call is under way, or one ended badly.
    unsettled: bool,
    /// A transaction was begun and not ended.
    begun: bool,
}

impl PostgresPool {
    /// A connection for several calls; to get it takes no longer than a call may.
    pub async fn checkout(&self) -> Result<Checkout, sqlx::Error> {
        let got = timeout(self.shared.call_timeout, async {
            let permit = self.shared.permits.acquire().await;
            let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
            let connection = self.connection().await?;
            // Given back by the drop of what holds it from here on.
            permit.forget();
            let shared = Arc::clone(&self.shared);
            Ok(Checkout { shared, connection: Some(connection), unsettled: false, begun: false })
        });
        got.await.unwrap_or_else(|_| Err(late().into()))
    }
}

impl Checkout {
    /// Begins a transaction with statements of which `BEGIN` is the first.
    pub async fn begin(&mut self, sql: impl SqlSafeStr + Send) -> Result<(), sqlx::Error> {
        self.begun = true;
        self.run(sql).await
    }

    /// Ends the transaction. When this fails, it may have been committed and may still be.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await?;
        self.begun = false;
        Ok(())
    }

    /// Runs statements without parameters.
    pub async fn run(&mut self, sql: impl SqlSafeStr + Send) -> Result<(), sqlx::Error> {
        let sql = sql.into_sql_str();
        self.call(async |connection| connection.execute(sqlx::raw_sql(sql)).await).await?;
        Ok(())
    }

    /// Executes; the number of rows affected.
    pub async fn execute(&mut self, query: PgQuery) -> Result<u64, sqlx::Error> {
        let done = self.call(async |connection| query.execute(connection).await).await?;
        Ok(done.rows_affected())
    }

    /// The first row.
    pub async fn fetch_optional(&mut self, query: PgQuery) -> Result<Option<PgRow>, sqlx::Error> {
        self.call(async |connection| query.fetch_optional(connection).await).await
    }

    /// All rows.
    pub async fn fetch_all(&mut self, query: PgQuery) -> Result<Vec<PgRow>, sqlx::Error> {
        self.call(async |connection| query.fetch_all(connection).await).await
    }

    /// Rows as they come. Each has the time of a call.
    pub fn fetch(&mut self, query: PgQuery) -> BoxStream<'_, Result<PgRow, sqlx::Error>> {
        let patience = self.shared.call_timeout;
        self.unsettled = true;
        let Self { connection, unsettled, .. } = self;
        let Some(connection) = connection else {
            return Box::pin(futures::stream::once(async { Err(sqlx::Error::PoolClosed) }));
        };
        let rows = (query.fetch(connection), unsettled);
        Box::pin(futures::stream::try_unfold(rows, move |(mut rows, unsettled)| async move {
            let next = timeout(patience, rows.try_next()).await;
            let Some(row) = next.map_err(|_| late())?? else {
                *unsettled = false;
                return Ok(None);
            };
            Ok(Some((row, (rows, unsettled))))
        }))
    }

    async fn call<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::PoolClosed) };
        self.unsettled = true;
        let outcome = timeout(self.shared.call_timeout, work(connection)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(late().into()));
        match &outcome {
            Ok(_) => self.unsettled = false,
            // The others lead to the same server and are most likely gone too.
            Err(error) if crate::is_away(error) => self.shared.idle().clear(),
            Err(_) => {}
        }
        outcome
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let shared = Arc::clone(&self.shared);
        if self.unsettled || shared.permits.is_closed() {
            // Its socket closes with it.
        } else if !self.begun {
            shared.rest(connection);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let rollback = connection.execute(sqlx::raw_sql("ROLLBACK"));
                if matches!(timeout(shared.call_timeout, rollback).await, Ok(Ok(_))) {
                    shared.rest(connection);
                }
                shared.permits.add_permits(1);
            });
            return;
        }
        shared.permits.add_permits(1);
    }
}

impl Shared {
    fn rest(&self, connection: PgConnection) {
        if !self.permits.is_closed() {
            self.idle().push(Idle { connection, since: Instant::now() });
        }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time")
}
