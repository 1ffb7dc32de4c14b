//! What customers find of their orders, and what of it they have read.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use storage::{BulkStatement, Connection, Row};

use super::{instant, micros};
use crate::public::CloudEvent;

/// One that is there already, as after a crash or another history, stays as it is, read or not.
static INSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO notices (event_id, customer_id, body, recorded_at)",
    4,
    "ON CONFLICT (event_id) DO NOTHING",
);
const FORGET_CUSTOMER: &str = "DELETE FROM notices WHERE customer_id = $1";
const LIST: &str = "SELECT number, event_id, customer_id, body, recorded_at, read_at FROM notices
    WHERE customer_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
const LIST_UNREAD: &str =
    "SELECT number, event_id, customer_id, body, recorded_at, read_at FROM notices
    WHERE customer_id = $1 AND number < $2 AND read_at IS NULL ORDER BY number DESC LIMIT $3";
const FIND: &str = "SELECT number, event_id, customer_id, body, recorded_at, read_at FROM notices
    WHERE event_id = $1";
const MARK: &str = "UPDATE notices SET read_at = $2 WHERE event_id = $1 AND read_at IS NULL";
const MARK_UP_TO: &str = "UPDATE notices SET read_at = $3
    WHERE customer_id = $1 AND read_at IS NULL AND number <= $2";
const OLD: &str =
    "SELECT event_id FROM notices WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2";
const FORGET: &str = "DELETE FROM notices WHERE event_id = $1";

/// What of the log changes customers' notices, and is not committed yet.
#[derive(Debug, Default)]
pub(crate) struct NewNotices {
    /// Whose, and what.
    pub(crate) told: Vec<(String, Arc<CloudEvent>)>,
    /// Customers who were erased: nobody reads theirs.
    pub(crate) erased: Vec<String>,
}

impl NewNotices {
    pub(crate) fn len(&self) -> usize {
        self.told.len() + self.erased.len()
    }

    pub(crate) fn clear(&mut self) {
        self.told.clear();
        self.erased.clear();
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoticeRow {
    pub(crate) number: i64,
    pub(crate) event_id: String,
    pub(crate) customer_id: String,
    /// The public event.
    pub(crate) body: String,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) read_at: Option<DateTime<Utc>>,
}

/// Whose notices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoticeFilter<'f> {
    pub(crate) customer_id: &'f str,
    pub(crate) unread: bool,
}

/// Keeps what customers find, each event once.
pub(crate) async fn keep_notices(
    connection: &mut Connection,
    new: &NewNotices,
) -> Result<(), sqlx::Error> {
    INSERT
        .write(connection, &new.told, |query, (customer_id, event)| {
            query
                .bind(event.id.to_string())
                .bind(customer_id.as_str())
                .bind(event.body.as_str())
                .bind(micros(event.recorded_at))
        })
        .await?;
    for customer_id in &new.erased {
        connection.query(FORGET_CUSTOMER).bind(customer_id.as_str()).execute().await?;
    }
    Ok(())
}

/// Those before this number, the newest first.
pub(crate) async fn list_notices(
    connection: &mut Connection,
    filter: NoticeFilter<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<NoticeRow>, sqlx::Error> {
    let statement = if filter.unread { LIST_UNREAD } else { LIST };
    let query = connection.query(statement).bind(filter.customer_id).bind(before).bind(limit);
    query.fetch_all().await?.iter().map(notice).collect()
}

/// The notice of an event.
pub(crate) async fn find_notice(
    connection: &mut Connection,
    event_id: &str,
) -> Result<Option<NoticeRow>, sqlx::Error> {
    let row = connection.query(FIND).bind(event_id).fetch_optional().await?;
    row.as_ref().map(notice).transpose()
}

/// Marks one as read; one that is so stays as it is.
pub(crate) async fn mark_read(
    connection: &mut Connection,
    event_id: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection.query(MARK).bind(event_id).bind(micros(now)).execute().await?;
    Ok(())
}

/// Marks all of a customer's up to this number as read; how many were not.
pub(crate) async fn mark_all_read(
    connection: &mut Connection,
    customer_id: &str,
    up_to: i64,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let mark = connection.query(MARK_UP_TO).bind(customer_id).bind(up_to).bind(micros(now));
    mark.execute().await
}

/// Forgets at most so many of those that were recorded before this time; how many there were.
pub(crate) async fn forget_notices_before(
    connection: &mut Connection,
    before: DateTime<Utc>,
    most: i64,
) -> Result<usize, sqlx::Error> {
    let old: Vec<String> = connection.query(OLD).bind(micros(before)).bind(most).scalars().await?;
    for event_id in &old {
        connection.query(FORGET).bind(event_id.as_str()).execute().await?;
    }
    Ok(old.len())
}

fn notice(row: &Row) -> Result<NoticeRow, sqlx::Error> {
    let read_at: Option<i64> = row.try_get("read_at")?;
    Ok(NoticeRow {
        number: row.try_get("number")?,
        event_id: row.try_get("event_id")?,
        customer_id: row.try_get("customer_id")?,
        body: row.try_get("body")?,
        recorded_at: instant(row.try_get("recorded_at")?)?,
        read_at: read_at.map(instant).transpose()?,
    })
}
