//! What waits for a time by a clock that was set back.

use chrono::{DateTime, TimeDelta, Utc};
use storage::Connection;

use super::micros;

/// What was tried last, or came, later than it is now, waits as long from now as it was to wait then. What is under way has its own
/// end.
const BRING_BACK: &str =
    "UPDATE deliveries SET due_at = due_at - (waiting.since - $1) FROM (
        SELECT number, coalesce((SELECT max(at) FROM attempts WHERE delivery = number), created_at) AS since
        FROM deliveries WHERE state = 0 AND under_way = 0 AND due_at > $1) AS waiting
    WHERE deliveries.number = waiting.number AND waiting.since > $2 AND due_at >= waiting.since";

/// What clocks that are right differ by, at most.
const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// Has what waits by a clock that was ahead wait by the one of now; how much.
pub(crate) async fn bring_back(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let bring_back = connection.query(BRING_BACK).bind(micros(now));
    bring_back.bind(micros(now + TOLERANCE)).execute().await
}
