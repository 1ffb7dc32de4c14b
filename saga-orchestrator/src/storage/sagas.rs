//! The sagas as the runner reads and writes them: whole, by order, conditioned on the version.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaState};
use event_store::Position;
use storage::{BulkStatement, Connection, Row, Sql, one_of};

use super::{from_word, integer, not_as_written, unsigned, word};

static WRITE: BulkStatement = BulkStatement::new(
    "INSERT INTO sagas (id, kind, order_id, state, step, since, wake_at, version, definition, cause_position, correlation_id, data)",
    12,
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, step = excluded.step, since = excluded.since,
        wake_at = excluded.wake_at, version = excluded.version, cause_position = excluded.cause_position,
        data = excluded.data
        WHERE sagas.version = excluded.version - 1",
);
const OF_ORDERS: Sql = one_of!(
    "SELECT version, cause_position, correlation_id, data FROM sagas WHERE order_id",
    "$1",
    "ORDER BY number"
);
const TO_WAKE: &str = "SELECT order_id FROM sagas WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2";
/// Merged from the states that are no end, so that nothing is read of what ended.
const UNFINISHED: &str = "SELECT number, version, cause_position, correlation_id, data FROM sagas
        WHERE number > $1 AND state = 'running'
    UNION ALL SELECT number, version, cause_position, correlation_id, data FROM sagas
        WHERE number > $1 AND state = 'waiting'
    UNION ALL SELECT number, version, cause_position, correlation_id, data FROM sagas
        WHERE number > $1 AND state = 'needs_attention'
    ORDER BY number LIMIT $2";
const COUNT_STATES: &str = "SELECT state, count(*) AS sagas FROM sagas GROUP BY state";

/// What the orchestrator keeps beside a saga.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SagaRow {
    /// Times it was written; 0 when it never was.
    pub(crate) version: u64,
    /// The event that changed it last.
    pub(crate) cause_position: Position,
    /// What started it all.
    pub(crate) correlation_id: Arc<str>,
    /// The saga as it was written last, to see whether it changed.
    pub(crate) data: String,
    /// Its state as it was written last; `None` when it never was.
    pub(crate) written_state: Option<SagaState>,
}

fn read_saga(row: &Row) -> Result<(Saga, SagaRow), sqlx::Error> {
    let data: String = row.try_get("data")?;
    let correlation_id: String = row.try_get("correlation_id")?;
    let saga: Saga = serde_json::from_str(&data).map_err(not_as_written)?;
    let row = SagaRow {
        version: unsigned(row.try_get("version")?)?,
        cause_position: unsigned(row.try_get("cause_position")?)?,
        correlation_id: correlation_id.into(),
        data,
        written_state: Some(saga.status.state),
    };
    Ok((saga, row))
}

/// All sagas of these orders, ended ones too, in the order in which they began.
pub(crate) async fn read_of_orders(
    connection: &mut Connection,
    order_ids: &[&str],
) -> Result<Vec<(Saga, SagaRow)>, sqlx::Error> {
    let rows = connection.query(OF_ORDERS).bind_texts(order_ids).fetch_all().await?;
    rows.iter().map(read_saga).collect()
}

/// Orders with a saga that wants to be woken by now.
pub(crate) async fn orders_to_wake(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<String>, sqlx::Error> {
    let due = connection.query(TO_WAKE).bind(now.timestamp_micros()).bind(i64::from(limit));
    due.scalars().await
}

/// A page of the sagas that have not ended, after the `after`th; with the number of the last.
pub(crate) async fn read_unfinished(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<(Vec<(Saga, SagaRow)>, i64), sqlx::Error> {
    let rows = connection.query(UNFINISHED).bind(after).bind(i64::from(limit)).fetch_all().await?;
    let last = rows.last().map_or(Ok(after), |row| row.try_get("number"))?;
    let sagas = rows.iter().map(read_saga).collect::<Result<_, _>>()?;
    Ok((sagas, last))
}

/// Writes sagas whose `version` was raised by one and whose `data` was renewed; false when one of them was not at the
/// version before. Then nothing of the transaction may stay.
pub(crate) async fn write_sagas(
    connection: &mut Connection,
    sagas: &[(&Saga, &SagaRow)],
) -> Result<bool, sqlx::Error> {
    let rows =
        sagas.iter().map(|(saga, row)| Columns::of(saga, row)).collect::<Result<Vec<_>, _>>()?;
    let written = WRITE
        .write(connection, &rows, |query, row| {
            let status = &row.saga.status;
            query
                .bind(status.id.as_str())
                .bind(row.kind.as_str())
                .bind(status.order_id.as_str())
                .bind(row.state.as_str())
                .bind(status.step.as_str())
                .bind(status.since.timestamp_micros())
                .bind(status.wake_at.map(|at| at.timestamp_micros()))
                .bind(row.version)
                .bind(i64::from(row.saga.definition))
                .bind(row.cause_position)
                .bind(row.row.correlation_id.as_ref())
                .bind(row.row.data.as_str())
        })
        .await?;
    Ok(written == rows.len() as u64)
}

/// What SQL has to be told in its own types.
struct Columns<'s> {
    saga: &'s Saga,
    row: &'s SagaRow,
    kind: String,
    state: String,
    version: i64,
    cause_position: i64,
}

impl<'s> Columns<'s> {
    fn of(saga: &'s Saga, row: &'s SagaRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            saga,
            row,
            kind: word(&saga.status.kind)?,
            state: word(&saga.status.state)?,
            version: integer(row.version)?,
            cause_position: integer(row.cause_position)?,
        })
    }
}

/// How many sagas there are in each state.
pub(crate) async fn count_states(
    connection: &mut Connection,
) -> Result<HashMap<SagaState, u64>, sqlx::Error> {
    let rows = connection.query(COUNT_STATES).fetch_all().await?;
    rows.iter()
        .map(|row| Ok((from_word(row.try_get("state")?)?, unsigned(row.try_get("sagas")?)?)))
        .collect()
}
