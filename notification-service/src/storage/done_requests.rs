//! What was asked for under a key, and done.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::micros;

const FIND: &str = "SELECT request, answer FROM done_requests WHERE key = $1";
const INSERT: &str =
    "INSERT INTO done_requests (key, request, answer, endpoint_id, in_log, done_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
const FORGET_ANSWERS: &str = "UPDATE done_requests SET answer = 'null' WHERE endpoint_id = $1";
/// Under the key of what stands in the log nothing would be recorded again, so it is never to be done again.
const OLD: &str = "SELECT key FROM done_requests WHERE in_log = 0 AND done_at < $1
    ORDER BY done_at LIMIT $2";
const FORGET: &str = "DELETE FROM done_requests WHERE key = $1";

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoneRequest {
    /// What tells it from others.
    pub(crate) request: String,
    /// How it was answered, as JSON.
    pub(crate) answer: String,
}

/// What is to be known of it beside that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DoneAbout<'d> {
    /// The endpoint that the answer is about.
    pub(crate) endpoint_id: Option<&'d str>,
    /// It stands in the log.
    pub(crate) is_in_log: bool,
    pub(crate) at: DateTime<Utc>,
}

/// What was done under a key.
pub(crate) async fn find_done(
    connection: &mut Connection,
    key: &str,
) -> Result<Option<DoneRequest>, sqlx::Error> {
    let row = connection.query(FIND).bind(key).fetch_optional().await?;
    let done = row.map(|row| {
        Ok(DoneRequest { request: row.try_get("request")?, answer: row.try_get("answer")? })
    });
    done.transpose()
}

/// Keeps it, in the transaction of its effect.
pub(crate) async fn keep_done(
    connection: &mut Connection,
    key: &str,
    done: &DoneRequest,
    about: DoneAbout<'_>,
) -> Result<(), sqlx::Error> {
    let insert = connection.query(INSERT).bind(key).bind(done.request.as_str());
    let insert = insert.bind(done.answer.as_str()).bind(about.endpoint_id);
    insert.bind(i64::from(about.is_in_log)).bind(micros(about.at)).execute().await?;
    Ok(())
}

/// Forgets what was answered about an endpoint.
pub(crate) async fn forget_answers(
    connection: &mut Connection,
    endpoint_id: &str,
) -> Result<(), sqlx::Error> {
    connection.query(FORGET_ANSWERS).bind(endpoint_id).execute().await?;
    Ok(())
}

/// Forgets at most so many of those that were done before this time and do not stand in the log; how many there were.
pub(crate) async fn forget_done_before(
    connection: &mut Connection,
    before: DateTime<Utc>,
    most: i64,
) -> Result<usize, sqlx::Error> {
    let old: Vec<String> = connection.query(OLD).bind(micros(before)).bind(most).scalars().await?;
    for key in &old {
        connection.query(FORGET).bind(key.as_str()).execute().await?;
    }
    Ok(old.len())
}
