//! A pool whose calls always end: the driver's own waits for ever on a connection whose other side fell silent, also
//! when the connection is given back.
//!
//! **Invariant:** a connection is used again only after a call that succeeded. One that failed, ran out of time or was
//! dropped by its caller is closed, and with it whatever it had begun.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::address::PostgresSettings;

/// A connection that rested so long may have died in silence; it is asked first.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// How long it may take to answer that.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Connections to one database.
#[derive(Clone)]
pub struct PostgresPool {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    options: PgConnectOptions,
    pub(super) call_timeout: Duration,
    connections: u32,
    pub(super) permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

pub(super) struct Idle {
    pub(super) connection: PgConnection,
    pub(super) since: Instant,
}

impl PostgresPool {
    /// A pool without connections; each is opened when it is needed.
    pub fn new(settings: &PostgresSettings) -> Self {
        let shared = Shared {
            options: settings.bounded(),
            call_timeout: settings.call_timeout,
            connections: settings.connections,
            permits: Semaphore::new(settings.connections as usize),
            idle: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lends a connection to `work`. Everything together ends within the call's timeout: waiting for a connection,
    /// opening it, the work. A transaction that the work leaves open is rolled back.
    pub async fn call<T, F>(&self, work: F) -> Result<T, sqlx::Error>
    where
        F: AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    {
        let called = timeout(self.shared.call_timeout, self.lend(work)).await;
        let outcome = called.unwrap_or_else(|_| {
            let late = "the database did not answer in time";
            Err(io::Error::new(io::ErrorKind::TimedOut, late).into())
        });
        if outcome.as_ref().is_err_and(lost_connection) {
            // The others lead to the same server and are most likely gone too.
            self.shared.idle().clear();
        }
        outcome
    }

    /// Whether the server answers, within the time of a call.
    pub async fn answers(&self) -> Result<(), sqlx::Error> {
        self.call(async |connection| connection.ping().await).await
    }

    async fn lend<T, F>(&self, work: F) -> Result<T, sqlx::Error>
    where
        F: AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    {
        let permit = self.shared.permits.acquire().await;
        let _permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut connection = self.connection().await?;
        let answer = work(&mut connection).await?;
        if !connection.is_in_transaction() && !self.shared.permits.is_closed() {
            self.shared.idle().push(Idle { connection, since: Instant::now() });
        }
        Ok(answer)
    }

    pub(super) async fn connection(&self) -> Result<PgConnection, sqlx::Error> {
        loop {
            // The one used last is the one most likely alive; the others may rest for ever.
            let resting = self.shared.idle().pop();
            let Some(Idle { mut connection, since }) = resting else { break };
            if since.elapsed() < ASK_AFTER {
                return Ok(connection);
            }
            if matches!(timeout(ANSWER_WITHIN, connection.ping()).await, Ok(Ok(()))) {
                return Ok(connection);
            }
            // Those that rested longer would only take the same time to say the same.
            self.shared.idle().clear();
        }
        self.shared.options.connect().await
    }

    /// Waits for the calls that are under way, closes every connection, and refuses later calls.
    pub async fn close(&self) {
        // Each call ends by itself.
        let all = self.shared.permits.acquire_many(self.shared.connections).await;
        self.shared.permits.close();
        drop(all);
        let resting = std::mem::take(&mut *self.shared.idle());
        for Idle { connection, .. } in resting {
            // Only politeness: a server that does not hear it finds out by itself.
            let _ = timeout(ANSWER_WITHIN, connection.close()).await;
        }
    }
}

impl Shared {
    pub(super) fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is the connection that failed, by itself or because the server ended it (SQLSTATE 57P01 and its like).
fn lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
