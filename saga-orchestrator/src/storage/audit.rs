//! Everything that the invariant checker needs to know of the sagas, read in one snapshot of the file.

use std::collections::HashSet;
use std::path::Path;

use futures::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use storage::Database;

use super::checkpoint::read_checkpoint;
use super::{from_word, instant};
use crate::audit::{Audit, AuditedCommand, AuditedSaga};

const SAGAS: &str = "SELECT id, kind, order_id, state, step, wake_at FROM sagas ORDER BY number";
const OUTBOX: &str =
    "SELECT command_id, saga_id, created_at, sends FROM outbox ORDER BY command_id";
const TOUCHED: &str = "SELECT DISTINCT saga_id FROM operator_actions";

pub(crate) async fn read_audit(path: &Path) -> Result<Audit, sqlx::Error> {
    let database = Database::open_read_only(path, 1).await?;
    let mut snapshot = database.reader().begin().await?;
    let checkpoint = read_checkpoint(&mut snapshot).await?;
    let mut sagas = Vec::new();
    let mut rows = sqlx::query(SAGAS).fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        sagas.push(saga(&row)?);
    }
    drop(rows);
    let mut outbox = Vec::new();
    for row in sqlx::query(OUTBOX).fetch_all(&mut *snapshot).await? {
        outbox.push(AuditedCommand {
            command_id: row.try_get("command_id")?,
            saga_id: row.try_get("saga_id")?,
            since: instant(row.try_get("created_at")?)?,
            sends: row.try_get("sends")?,
        });
    }
    let touched: Vec<String> = sqlx::query_scalar(TOUCHED).fetch_all(&mut *snapshot).await?;
    snapshot.rollback().await?;
    database.close().await;
    Ok(Audit {
        log: checkpoint.log,
        position: checkpoint.position,
        sagas,
        outbox,
        touched_by_operators: HashSet::from_iter(touched),
    })
}

fn saga(row: &SqliteRow) -> Result<AuditedSaga, sqlx::Error> {
    let wake_at: Option<i64> = row.try_get("wake_at")?;
    Ok(AuditedSaga {
        id: row.try_get("id")?,
        kind: from_word(row.try_get("kind")?)?,
        order_id: row.try_get("order_id")?,
        state: from_word(row.try_get("state")?)?,
        step: row.try_get("step")?,
        wake_at: wake_at.map(instant).transpose()?,
    })
}
