//! What operators did, under the key of their request: a repeat gets the same answer.

use chrono::{DateTime, Utc};
use storage::Connection;

use super::instant;

const FIND: &str = "SELECT request, answer, acted_at FROM operator_actions WHERE key = $1";
const INSERT: &str = "INSERT INTO operator_actions (key, request, saga_id, answer, acted_at)
    VALUES ($1, $2, $3, $4, $5)";

/// An action that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastAction {
    /// What was asked, whole.
    pub(crate) request: String,
    /// What was answered: JSON text.
    pub(crate) answer: String,
}

/// The action of this key, and when it was carried out.
pub(crate) async fn find_action(
    connection: &mut Connection,
    key: &str,
) -> Result<Option<(PastAction, DateTime<Utc>)>, sqlx::Error> {
    let row = connection.query(FIND).bind(key).fetch_optional().await?;
    row.map(|row| {
        let past = PastAction { request: row.try_get("request")?, answer: row.try_get("answer")? };
        Ok((past, instant(row.try_get("acted_at")?)?))
    })
    .transpose()
}

pub(crate) async fn insert_action(
    connection: &mut Connection,
    key: &str,
    saga_id: &str,
    action: &PastAction,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection
        .query(INSERT)
        .bind(key)
        .bind(action.request.as_str())
        .bind(saga_id)
        .bind(action.answer.as_str())
        .bind(now.timestamp_micros())
        .execute()
        .await?;
    Ok(())
}
