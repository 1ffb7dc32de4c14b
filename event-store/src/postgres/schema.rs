//! The tables, the row that says whose they are, and who may do what with them.

use sqlx::PgConnection;
use sqlx::migrate::MigrateError;
use storage::postgres::{PostgresPool, PostgresSettings};

use crate::event_id;
use crate::sql::rows::{self, IdentityRow};
use crate::sql::statements;
use crate::types::{LogIdentity, Position};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: [(&str, &str); 6] = [
    ("0001_log", include_str!("migrations/0001_log.sql")),
    ("0002_append", include_str!("migrations/0002_append.sql")),
    ("0003_append_undisputed", include_str!("migrations/0003_append_undisputed.sql")),
    ("0004_service_looks", include_str!("migrations/0004_service_looks.sql")),
    ("0005_append_at_head", include_str!("migrations/0005_append_at_head.sql")),
    ("0006_look_ups", include_str!("migrations/0006_look_ups.sql")),
];

/// What was applied. The keys may live in the same database.
const APPLIED: &str = "log_migrations";

const DRAW_IDENTITY: &str = "INSERT INTO log_identity (log, epoch) VALUES ($1, 1)
    ON CONFLICT (singleton) DO NOTHING";

const GRANT: &str = "SELECT grant_log_to($1::name)";

/// Only for the token that is the log's: whoever raises it meanwhile waits, or is waited for and found to have it. Wakes the
/// other processes too: the epoch is part of what they announce.
const RAISE_EPOCH: &str =
    "WITH writer AS (SELECT token FROM log_writer WHERE singleton AND token = $1 FOR UPDATE),
    raised AS (UPDATE log_identity SET epoch = epoch + 1 FROM writer RETURNING log, epoch)
    SELECT log, epoch, pg_notify('docket_log', '') FROM raised";

pub(super) async fn migrate(
    settings: &PostgresSettings,
    service: Option<&str>,
) -> Result<(), MigrateError> {
    storage::postgres::migrate(settings, APPLIED, &MIGRATIONS, async |connection| {
        let name = event_id::draw_log_name();
        sqlx::query(DRAW_IDENTITY).bind(name).execute(&mut *connection).await?;
        if let Some(service) = service {
            sqlx::query(GRANT).bind(service).execute(connection).await?;
        }
        Ok(())
    })
    .await
}

/// Whether there is nothing to migrate. The identity is drawn last.
pub(super) async fn is_complete(settings: &PostgresSettings) -> Result<bool, MigrateError> {
    let pool = PostgresPool::new(&settings.clone().connections(1));
    let looked = pool.call(async |connection| {
        let migrated = storage::postgres::is_migrated(connection, APPLIED, &MIGRATIONS).await;
        if !migrated.map_err(|error| sqlx::Error::Migrate(Box::new(error)))? {
            return Ok(false);
        }
        let identity = sqlx::query(statements::IDENTITY).fetch_optional(connection).await?;
        Ok(identity.is_some())
    });
    let complete = looked.await?;
    pool.close().await;
    Ok(complete)
}

pub(super) async fn identity(connection: &mut PgConnection) -> Result<LogIdentity, sqlx::Error> {
    let row = sqlx::query(statements::IDENTITY).fetch_one(connection).await?;
    IdentityRow::try_from(&row)?.try_into()
}

/// `None` when the token is not the log's any more.
pub(super) async fn raise_epoch(
    connection: &mut PgConnection,
    token: i64,
) -> Result<Option<LogIdentity>, sqlx::Error> {
    let Some(row) = sqlx::query(RAISE_EPOCH).bind(token).fetch_optional(connection).await? else {
        return Ok(None);
    };
    Ok(Some(IdentityRow::try_from(&row)?.try_into()?))
}

/// The last position of the log.
pub(super) async fn head(connection: &mut PgConnection) -> Result<Position, sqlx::Error> {
    let head: i64 = sqlx::query_scalar(statements::HEAD).fetch_one(connection).await?;
    rows::count(head)
}
