//! What is old is forgotten: what was told, and what waits for an endpoint that is disabled, or to be mailed.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::micros;

const OLD: &str =
    "SELECT number FROM deliveries WHERE created_at < $1 AND (state <> 0 OR endpoint_id = 'mail' OR endpoint_id IN (
        SELECT id FROM endpoints WHERE state <> 'enabled')) ORDER BY created_at LIMIT $2";
const FORGET_ATTEMPTS: &str = "DELETE FROM attempts WHERE delivery = $1";
const FORGET: &str = "DELETE FROM deliveries WHERE number = $1";

/// Forgets at most so many of those that came before this time; how many there were.
pub(crate) async fn forget_before(
    connection: &mut Connection,
    before: DateTime<Utc>,
    most: i64,
) -> Result<usize, sqlx::Error> {
    let old: Vec<i64> = connection.query(OLD).bind(micros(before)).bind(most).scalars().await?;
    for number in &old {
        connection.query(FORGET_ATTEMPTS).bind(*number).execute().await?;
        connection.query(FORGET).bind(*number).execute().await?;
    }
    Ok(old.len())
}
