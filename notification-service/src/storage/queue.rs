//! What is due: taken, tried, settled.
//!
//! **Invariant:** whatever happens to who took it, what is not settled is due again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use storage::{Connection, Row};

use super::{instant, micros};

/// What is taken gets a time by which it is due again if nobody settles it.
const CLAIM: &str = "UPDATE deliveries SET under_way = 1, due_at = $3 WHERE number IN (
        SELECT number FROM deliveries WHERE endpoint_id = $1 AND state = 0 AND due_at IS NOT NULL AND due_at <= $2
        ORDER BY due_at, number LIMIT $4)
    RETURNING number, event_id, event_type, subject, body, tries";
/// Also of what was taken: who took it may never have heard that it did.
const NEXT_DUE: &str = "SELECT min(due_at) FROM deliveries
    WHERE endpoint_id = $1 AND state = 0 AND due_at IS NOT NULL";
const PUT_BACK: &str = "UPDATE deliveries SET under_way = 0, due_at = $2
    WHERE endpoint_id = $1 AND state = 0 AND due_at IS NOT NULL AND under_way = 1";
const ATTEMPT: &str = "INSERT INTO attempts (delivery, at, duration_ms, status, error)
    VALUES ($1, $2, $3, $4, $5)";
/// Once, also where that it was done was not heard.
const AGAIN: &str = "UPDATE deliveries SET under_way = 0, tries = tries + 1, due_at = $2
    WHERE number = $1 AND state = 0 AND under_way = 1";
const SETTLE: &str =
    "UPDATE deliveries SET under_way = 0, tries = tries + 1, due_at = NULL, state = $2,
    settled_at = $3 WHERE number = $1 AND state = 0";
const NEXT_OF_SUBJECT: &str =
    "UPDATE deliveries SET due_at = $3 WHERE due_at IS NULL AND state = 0 AND number = (
        SELECT min(number) FROM deliveries WHERE state = 0 AND endpoint_id = $1 AND subject = $2)";
const ALL_DUE: &str = "UPDATE deliveries SET due_at = $2
    WHERE endpoint_id = $1 AND state = 0 AND due_at IS NOT NULL AND under_way = 0";
const FIRST_DUE: &str =
    "UPDATE deliveries SET due_at = $2 WHERE endpoint_id = $1 AND state = 0 AND due_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier
            WHERE earlier.state = 0 AND earlier.endpoint_id = deliveries.endpoint_id
                AND earlier.subject = deliveries.subject AND earlier.number < deliveries.number)";

/// It got through.
const DELIVERED: i64 = 1;
/// It was given up.
const FAILED: i64 = 2;
/// There is nobody to tell.
const DROPPED: i64 = 3;

/// Something that is tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) number: i64,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    /// How often it was tried before, since it came or was asked for again.
    pub(crate) tries: u32,
}

/// What becomes of something that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It got through.
    Delivered,
    /// It is tried again at this time.
    Again(DateTime<Utc>),
    /// It is given up.
    Failed,
    /// There is nobody to tell it: a mail only.
    Dropped,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) number: i64,
    pub(crate) endpoint_id: String,
    pub(crate) subject: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) took: Duration,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// Why it did not get through.
    pub(crate) error: Option<String>,
    pub(crate) then: Then,
}

/// Takes what is due at an endpoint, what has been so for longest first.
pub(crate) async fn claim(
    connection: &mut Connection,
    endpoint_id: &str,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let claim = connection.query(CLAIM).bind(endpoint_id).bind(micros(now)).bind(micros(again_at));
    let rows = claim.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all().await?;
    let mut claimed = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_by_key(|claimed| claimed.number);
    Ok(claimed)
}

fn claimed(row: &Row) -> Result<Claimed, sqlx::Error> {
    let tries: i64 = row.try_get("tries")?;
    Ok(Claimed {
        number: row.try_get("number")?,
        event_id: row.try_get("event_id")?,
        event_type: row.try_get("event_type")?,
        subject: row.try_get("subject")?,
        body: row.try_get("body")?,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
    })
}

/// When the next is due at an endpoint.
pub(crate) async fn next_due(
    connection: &mut Connection,
    endpoint_id: &str,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let due: Option<i64> = connection.query(NEXT_DUE).bind(endpoint_id).scalar().await?;
    due.map(instant).transpose()
}

/// What was under way when somebody before us ended is due now.
pub(crate) async fn put_back(
    connection: &mut Connection,
    endpoint_id: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection.query(PUT_BACK).bind(endpoint_id).bind(micros(now)).execute().await?;
    Ok(())
}

/// Whatever waits at an endpoint for its time is due now; and the first of every subject, whoever was before it.
pub(crate) async fn make_due(
    connection: &mut Connection,
    endpoint_id: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    for statement in [ALL_DUE, FIRST_DUE] {
        connection.query(statement).bind(endpoint_id).bind(micros(now)).execute().await?;
    }
    Ok(())
}

/// Notes an attempt and what follows of it. When it is settled, the next of its subject is due.
pub(crate) async fn settle(
    connection: &mut Connection,
    tried: &Tried,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let kept = match tried.then {
        Then::Again(at) => connection.query(AGAIN).bind(tried.number).bind(micros(at)),
        Then::Delivered => {
            connection.query(SETTLE).bind(tried.number).bind(DELIVERED).bind(micros(now))
        }
        Then::Failed => connection.query(SETTLE).bind(tried.number).bind(FAILED).bind(micros(now)),
        Then::Dropped => {
            connection.query(SETTLE).bind(tried.number).bind(DROPPED).bind(micros(now))
        }
    };
    // It was deleted meanwhile, with its endpoint; or this is done, by a commit of which nothing was heard.
    if kept.execute().await? == 0 {
        return Ok(());
    }
    let took = i64::try_from(tried.took.as_millis()).unwrap_or(i64::MAX);
    let attempt = connection.query(ATTEMPT).bind(tried.number).bind(micros(tried.at)).bind(took);
    let attempt = attempt.bind(tried.status.map(i64::from)).bind(tried.error.as_deref());
    attempt.execute().await?;
    if matches!(tried.then, Then::Again(_)) {
        return Ok(());
    }
    let next = connection.query(NEXT_OF_SUBJECT).bind(tried.endpoint_id.as_str());
    next.bind(tried.subject.as_str()).bind(micros(now)).execute().await?;
    Ok(())
}
