//! The table of open intents.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{SqliteConnection, SqlitePool};
use storage::BulkStatement;

use crate::batch::IntentChanges;
use crate::sql::rows::IntentRow;
use crate::sql::statements;
use crate::types::Intent;

use super::known;

const CLOSE: &str = "DELETE FROM intents WHERE id IN (SELECT value FROM json_each($1))";

static OPEN: BulkStatement = BulkStatement::new(
    "INSERT INTO intents (id, payload, opened_at)",
    3,
    "ON CONFLICT (id) DO NOTHING",
);

/// Side effects that were begun and not ended, oldest first.
pub(super) async fn open(reader: &SqlitePool) -> Result<Vec<Intent>, sqlx::Error> {
    let found = sqlx::query(statements::OPEN_INTENTS).fetch_all(reader).await?;
    found.iter().map(|row| IntentRow::try_from(row)?.try_into()).collect()
}

/// Part of an append.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    changes: &IntentChanges<'_>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if !changes.closed.is_empty() {
        let ids = known::json(&changes.closed)?;
        sqlx::query(CLOSE).bind(ids).execute(&mut *connection).await?;
    }
    let opened_at = now.timestamp_micros();
    OPEN.execute(connection, &changes.opened, |query, (id, payload)| {
        query.bind(Arc::clone(id)).bind(*payload).bind(opened_at)
    })
    .await?;
    Ok(())
}
