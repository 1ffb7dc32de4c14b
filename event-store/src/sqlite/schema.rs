//! The tables, and the row that says whose they are.

use sqlx::SqliteConnection;

use crate::event_id;
use crate::sql::rows::{self, IdentityRow};
use crate::sql::statements;
use crate::types::{LogIdentity, Position};

/// Append-only: a migration that was released is never changed.
pub(super) const MIGRATIONS: [(&str, &str); 2] = [
    ("0001_log", include_str!("migrations/0001_log.sql")),
    ("0002_commands_by_row", include_str!("migrations/0002_commands_by_row.sql")),
];

const DRAW_IDENTITY: &str = "INSERT INTO log_identity (singleton, log, epoch) VALUES (1, $1, 1)
    ON CONFLICT (singleton) DO NOTHING";

/// Gives a new log its name; one that has a name keeps it.
pub(super) async fn draw_identity(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let name = event_id::draw_log_name();
    sqlx::query(DRAW_IDENTITY).bind(name).execute(connection).await?;
    Ok(())
}

const RAISE_EPOCH: &str = "UPDATE log_identity SET epoch = max(epoch, $1) + 1";

/// The log's history is no continuation of what was seen up to this epoch.
pub(super) async fn raise_epoch(
    connection: &mut SqliteConnection,
    seen: u32,
) -> Result<LogIdentity, sqlx::Error> {
    sqlx::query(RAISE_EPOCH).bind(seen).execute(&mut *connection).await?;
    identity(connection).await
}

pub(super) async fn identity(
    connection: &mut SqliteConnection,
) -> Result<LogIdentity, sqlx::Error> {
    let row = sqlx::query(statements::IDENTITY).fetch_one(connection).await?;
    IdentityRow::try_from(&row)?.try_into()
}

/// The last position of the log.
pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Position, sqlx::Error> {
    let head: i64 = sqlx::query_scalar(statements::HEAD).fetch_one(connection).await?;
    rows::count(head)
}
