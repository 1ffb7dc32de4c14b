//! When the platform was last seen alive.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::instant;

const READ: &str = "SELECT alive_at FROM clock";
const WRITE: &str = "INSERT INTO clock (singleton, alive_at) VALUES (1, $1)
    ON CONFLICT (singleton) DO UPDATE SET alive_at = excluded.alive_at";

/// `None` when it never was.
pub(crate) async fn read_alive_at(
    connection: &mut SqliteConnection,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let micros: Option<i64> = sqlx::query_scalar(READ).fetch_optional(connection).await?;
    micros.map(instant).transpose()
}

pub(crate) async fn write_alive_at(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(WRITE).bind(now.timestamp_micros()).execute(connection).await?;
    Ok(())
}
