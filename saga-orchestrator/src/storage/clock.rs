//! When the platform was last seen alive.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::instant;

const READ: &str = "SELECT alive_at FROM clock";
const WRITE: &str = "INSERT INTO clock (singleton, alive_at) VALUES (1, $1)
    ON CONFLICT (singleton) DO UPDATE SET alive_at = excluded.alive_at";

/// `None` when it never was.
pub(crate) async fn read_alive_at(
    connection: &mut Connection,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let micros: Option<i64> = connection.query(READ).scalar_optional().await?;
    micros.map(instant).transpose()
}

pub(crate) async fn write_alive_at(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection.query(WRITE).bind(now.timestamp_micros()).execute().await?;
    Ok(())
}
