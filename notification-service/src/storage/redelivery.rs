//! Telling again what was told, or given up.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::micros;
use super::queue::make_due;

/// What was settled is due anew, under the key of who asked: a repeat finds it so.
const REDELIVER: &str =
    "UPDATE deliveries SET state = 0, due_at = $3, tries = 0, settled_at = NULL,
    redelivered_by = $4 WHERE number = $1 AND endpoint_id = $2 AND state <> 0
        AND (redelivered_by IS NULL OR redelivered_by <> $4)";
/// What waits for its time is due. What waits for another before it goes on doing so.
const HURRY: &str =
    "UPDATE deliveries SET due_at = $3, redelivered_by = $4 WHERE number = $1 AND endpoint_id = $2
    AND state = 0 AND due_at IS NOT NULL AND under_way = 0
    AND (redelivered_by IS NULL OR redelivered_by <> $4)";
const REDELIVER_FAILED: &str =
    "UPDATE deliveries SET state = 0, due_at = NULL, tries = 0, settled_at = NULL,
    redelivered_by = $3 WHERE endpoint_id = $1 AND state = 2 AND created_at >= $2
        AND (redelivered_by IS NULL OR redelivered_by <> $3)";

/// Tells one again, once under a key.
pub(crate) async fn redeliver(
    connection: &mut Connection,
    (endpoint_id, number): (&str, i64),
    key: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    for statement in [REDELIVER, HURRY] {
        let query = connection.query(statement).bind(number).bind(endpoint_id);
        if query.bind(micros(now)).bind(key).execute().await? > 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// Tells again all that was given up of what came since then; how many.
pub(crate) async fn redeliver_failed(
    connection: &mut Connection,
    endpoint_id: &str,
    since: DateTime<Utc>,
    key: &str,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let query = connection.query(REDELIVER_FAILED).bind(endpoint_id).bind(micros(since));
    let again = query.bind(key).execute().await?;
    if again > 0 {
        make_due(connection, endpoint_id, now).await?;
    }
    Ok(again)
}
