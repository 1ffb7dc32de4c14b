//! Everything that the invariant checker needs to know of the sagas, read in one snapshot.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::sagas::Saga;
use event_store::Mark;
use futures::TryStreamExt as _;
use storage::{Location, Row, Store};

use super::checkpoint::{Checkpoint, read_checkpoint};
use super::{count, from_word, instant};
use crate::audit::{Audit, AuditedCommand, AuditedSaga};

const SAGAS: &str =
    "SELECT id, kind, order_id, state, step, wake_at, data FROM sagas ORDER BY number";
const OUTBOX: &str =
    "SELECT command_id, saga_id, created_at, sends FROM outbox ORDER BY command_id";
const TOUCHED: &str = "SELECT DISTINCT saga_id FROM operator_actions";

pub(crate) async fn read_audit(location: &Location) -> Result<Option<Audit>, sqlx::Error> {
    let store = Store::open_read_only(location, 1).await?;
    let mut snapshot = store.snapshot().await?;
    let checkpoint = match read_checkpoint(&mut snapshot).await {
        Err(sqlx::Error::RowNotFound) => return Ok(None),
        checkpoint => checkpoint?,
    };
    let mut sagas = Vec::new();
    let mut rows = snapshot.query(SAGAS).fetch();
    while let Some(row) = rows.try_next().await? {
        sagas.push(saga(&row)?);
    }
    drop(rows);
    let mut outbox = Vec::new();
    for row in snapshot.query(OUTBOX).fetch_all().await? {
        outbox.push(AuditedCommand {
            command_id: row.try_get("command_id")?,
            saga_id: row.try_get("saga_id")?,
            since: instant(row.try_get("created_at")?)?,
            sends: count(row.try_get("sends")?)?,
        });
    }
    let touched: Vec<String> = snapshot.query(TOUCHED).scalars().await?;
    drop(snapshot);
    store.close().await;
    Ok(Some(Audit {
        log: checkpoint.log,
        position: checkpoint.position,
        event_id: checkpoint.event_id,
        sagas,
        outbox,
        touched_by_operators: HashSet::from_iter(touched),
    }))
}

pub(crate) async fn read_mark(location: &Location) -> Result<Mark, sqlx::Error> {
    let store = Store::open_read_only(location, 1).await?;
    let mut reader = store.reader().await?;
    let checkpoint = read_checkpoint(&mut reader).await;
    drop(reader);
    store.close().await;
    let Checkpoint { position, event_id, log } = checkpoint?;
    Ok(Mark { log, position, event_id })
}

fn saga(row: &Row) -> Result<AuditedSaga, sqlx::Error> {
    let (wake_at, data): (Option<i64>, String) = (row.try_get("wake_at")?, row.try_get("data")?);
    let mut saga = AuditedSaga {
        id: row.try_get("id")?,
        kind: from_word(row.try_get("kind")?)?,
        order_id: row.try_get("order_id")?,
        state: from_word(row.try_get("state")?)?,
        step: row.try_get("step")?,
        wake_at: wake_at.map(instant).transpose()?,
        is_whole: false,
    };
    saga.is_whole = serde_json::from_str(&data).is_ok_and(|data| says(&data, &saga));
    Ok(saga)
}

/// Whether a saga's own data says what its columns say.
fn says(Saga { status, .. }: &Saga, row: &AuditedSaga) -> bool {
    let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
    status.id.as_str() == row.id
        && status.kind == row.kind
        && status.order_id.as_str() == row.order_id
        && status.state == row.state
        && status.step == row.step
        && micros(status.wake_at) == micros(row.wake_at)
}
