//! What was told, to look at.

use std::time::Duration;

use chrono::{DateTime, Utc};
use storage::{Connection, Row};

use super::{instant, not_as_written, unsigned};

const LIST: &str = "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries, created_at,
    settled_at FROM deliveries WHERE endpoint_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
const LIST_OF_STATE: &str =
    "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries,
    created_at, settled_at FROM deliveries
    WHERE endpoint_id = $1 AND number < $2 AND state = $4 ORDER BY number DESC LIMIT $3";
const FIND: &str = "SELECT number, event_id, event_type, subject, position, body, state, due_at, under_way, tries, created_at,
    settled_at FROM deliveries WHERE endpoint_id = $1 AND number = $2";
const ATTEMPTS: &str =
    "SELECT at, duration_ms, status, error FROM attempts WHERE delivery = $1 ORDER BY at";
const WAITING: &str = "SELECT count(*) FROM deliveries WHERE endpoint_id = $1 AND state = 0";

/// What became of something that an endpoint is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    /// It waits for its time, or for what comes before it.
    Waiting,
    /// It got through.
    Delivered,
    /// It was given up.
    Failed,
    /// There was nobody to tell: a mail only.
    Dropped,
}

impl DeliveryState {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Failed => 2,
            Self::Dropped => 3,
        }
    }

    fn of(number: i64) -> Result<Self, sqlx::Error> {
        let all = [Self::Waiting, Self::Delivered, Self::Failed, Self::Dropped];
        let found = all.into_iter().find(|state| state.number() == number);
        found.ok_or_else(|| not_as_written(format!("{number} is no state of a delivery")))
    }
}

/// Something that an endpoint was told, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryRow {
    pub(crate) number: i64,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) subject: String,
    pub(crate) position: u64,
    pub(crate) body: String,
    pub(crate) state: DeliveryState,
    /// When it is tried next, or while it is tried when it would be again if nothing were heard of that; `None` where it waits for
    /// another, or is settled.
    pub(crate) due_at: Option<DateTime<Utc>>,
    /// It is tried now.
    pub(crate) is_under_way: bool,
    pub(crate) tries: u32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) settled_at: Option<DateTime<Utc>>,
}

/// An attempt, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRow {
    pub(crate) at: DateTime<Utc>,
    pub(crate) took: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
}

/// Which deliveries of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryFilter<'f> {
    pub(crate) endpoint_id: &'f str,
    pub(crate) state: Option<DeliveryState>,
}

/// Those before this number, the newest first.
pub(crate) async fn list_deliveries(
    connection: &mut Connection,
    filter: DeliveryFilter<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<DeliveryRow>, sqlx::Error> {
    let statement = if filter.state.is_some() { LIST_OF_STATE } else { LIST };
    let query = connection.query(statement).bind(filter.endpoint_id).bind(before).bind(limit);
    let query = match filter.state {
        Some(state) => query.bind(state.number()),
        None => query,
    };
    query.fetch_all().await?.iter().map(delivery).collect()
}

/// One of an endpoint's.
pub(crate) async fn find_delivery(
    connection: &mut Connection,
    endpoint_id: &str,
    number: i64,
) -> Result<Option<DeliveryRow>, sqlx::Error> {
    let row = connection.query(FIND).bind(endpoint_id).bind(number).fetch_optional().await?;
    row.as_ref().map(delivery).transpose()
}

/// Every attempt of one, the first first.
pub(crate) async fn list_attempts(
    connection: &mut Connection,
    number: i64,
) -> Result<Vec<AttemptRow>, sqlx::Error> {
    connection.query(ATTEMPTS).bind(number).fetch_all().await?.iter().map(attempt).collect()
}

/// How many an endpoint is still to be told.
pub(crate) async fn count_waiting(
    connection: &mut Connection,
    endpoint_id: &str,
) -> Result<u64, sqlx::Error> {
    unsigned(connection.query(WAITING).bind(endpoint_id).scalar().await?)
}

pub(super) fn delivery(row: &Row) -> Result<DeliveryRow, sqlx::Error> {
    let time = |column: Option<i64>| column.map(instant).transpose();
    let tries: i64 = row.try_get("tries")?;
    let under_way: i64 = row.try_get("under_way")?;
    Ok(DeliveryRow {
        number: row.try_get("number")?,
        event_id: row.try_get("event_id")?,
        event_type: row.try_get("event_type")?,
        subject: row.try_get("subject")?,
        position: unsigned(row.try_get("position")?)?,
        body: row.try_get("body")?,
        state: DeliveryState::of(row.try_get("state")?)?,
        due_at: time(row.try_get("due_at")?)?,
        is_under_way: under_way != 0,
        tries: u32::try_from(tries).map_err(not_as_written)?,
        created_at: instant(row.try_get("created_at")?)?,
        settled_at: time(row.try_get("settled_at")?)?,
    })
}

fn attempt(row: &Row) -> Result<AttemptRow, sqlx::Error> {
    let took: i64 = row.try_get("duration_ms")?;
    let status: Option<i64> = row.try_get("status")?;
    Ok(AttemptRow {
        at: instant(row.try_get("at")?)?,
        took: Duration::from_millis(unsigned(took)?),
        status: status.map(u16::try_from).transpose().map_err(not_as_written)?,
        error: row.try_get("error")?,
    })
}
