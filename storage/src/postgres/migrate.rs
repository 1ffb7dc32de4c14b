//! Migrations under a lock: of two replicas that start at once, one migrates and the other finds it done.

use std::io;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::timeout;

use super::address::PostgresSettings;
use crate::migrations::migrator;

/// How long to wait for another replica's migration.
const PATIENCE: Duration = Duration::from_mins(10);

/// Held by the session, so it ends with the migrator, however that ends.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended($1, 0))";

const EXISTS: &str = "SELECT to_regclass($1) IS NOT NULL";

/// Runs what is missing of the `(name, sql)` migrations, then `afterwards`, all under one lock. What was applied is kept
/// in `table`: two components can live in one database.
///
/// Migrations only add: during a rolling upgrade, and after it is taken back, an older program finds newer ones.
pub async fn migrate<F>(
    settings: &PostgresSettings,
    table: &'static str,
    migrations: &[(&'static str, &'static str)],
    afterwards: F,
) -> Result<(), MigrateError>
where
    F: AsyncFnOnce(&mut PgConnection) -> Result<(), sqlx::Error>,
{
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the migration did not end in time");
    let run = async {
        let connecting = timeout(settings.call_timeout, settings.options.connect());
        let mut connection = connecting.await.map_err(|_| sqlx::Error::Io(late()))??;
        sqlx::query(LOCK).bind(table).execute(&mut connection).await?;
        let mut migrator = migrator(migrations);
        migrator.set_locking(false).set_ignore_missing(true).dangerous_set_table_name(table);
        migrator.run_direct(None, &mut connection, false).await?;
        afterwards(&mut connection).await?;
        Ok(connection.close().await?)
    };
    timeout(PATIENCE, run).await.map_err(|_| sqlx::Error::Io(late()))?
}

/// Whether all of these were applied. It only looks, so that a role may ask which has no right to migrate.
pub async fn is_migrated(
    connection: &mut PgConnection,
    table: &'static str,
    migrations: &[(&'static str, &'static str)],
) -> Result<bool, MigrateError> {
    let exists: bool = sqlx::query_scalar(EXISTS).bind(table).fetch_one(&mut *connection).await?;
    if !exists {
        return Ok(false);
    }
    let applied = connection.list_applied_migrations(table).await?;
    let is_applied = |wanted: &sqlx::migrate::Migration| {
        applied
            .iter()
            .any(|done| done.version == wanted.version && done.checksum == wanted.checksum)
    };
    Ok(migrator(migrations).iter().all(is_applied))
}
