//! Commands whose effect the log has not shown yet. A row goes when an event bears its command id, and in no other way.

use std::time::Duration;

use chrono::{DateTime, Utc};
use messaging::commands::CommandMessage;
use storage::{BulkStatement, Connection, Sql, one_of};

use super::{count, instant, not_as_written, unsigned};

static INSERT: BulkStatement = BulkStatement::new(
    "INSERT INTO outbox (command_id, saga_id, step, attempt, body, created_at, next_send_at, sends)",
    8,
    "ON CONFLICT (command_id) DO NOTHING",
);
const COUNT: &str = "SELECT count(*) FROM outbox";
const DELETE_DONE: Sql = one_of!("DELETE FROM outbox WHERE command_id", "$1");
const MAKE_DUE: Sql =
    one_of!("UPDATE outbox SET next_send_at = $1, sends = sends - 1 WHERE command_id", "$2");
const MAKE_ALL_DUE: &str = "UPDATE outbox SET next_send_at = $1";
const DUE: &str = "SELECT body FROM outbox WHERE next_send_at <= $1 ORDER BY next_send_at LIMIT $2";
/// Longer each time, up to four times the first: what waits for its turn for minutes is on its way, and not lost.
const RESCHEDULE: Sql = one_of!(
    "UPDATE outbox SET sends = sends + 1,
        next_send_at = $1 + $2 * CASE WHEN sends < 3 THEN sends + 1 ELSE 4 END WHERE command_id",
    "$3"
);
/// The ids of a saga's commands begin with its own and a `/`; after that comes `0`.
const OF_SAGA: &str = "SELECT command_id, created_at, sends FROM outbox
    WHERE command_id > $1 || '/' AND command_id < $1 || '0' ORDER BY created_at";

/// A command to be sent until the log shows its effect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutboxRow {
    /// The saga that sends it.
    pub(crate) saga_id: String,
    /// The step it belongs to.
    pub(crate) step: String,
    /// Counted from 1.
    pub(crate) attempt: u32,
    /// The message, as the queue gets it.
    pub(crate) message: CommandMessage,
    /// The message as it is stored.
    pub(crate) body: String,
}

/// A command on its way, for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sending {
    pub(crate) command_id: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) sends: u32,
}

/// How many commands there are.
pub(crate) async fn count_outbox(connection: &mut Connection) -> Result<u64, sqlx::Error> {
    unsigned(connection.query(COUNT).scalar().await?)
}

/// Keeps commands, each once: a command id that is there already stays as it is. `sends` is how often each is being
/// handed over right after the commit. Tells how many are new.
pub(crate) async fn insert_outbox(
    connection: &mut Connection,
    rows: &[OutboxRow],
    now: DateTime<Utc>,
    next_send_at: DateTime<Utc>,
    sends: u32,
) -> Result<u64, sqlx::Error> {
    let (now, next) = (now.timestamp_micros(), next_send_at.timestamp_micros());
    INSERT
        .write(connection, rows, |query, row| {
            query
                .bind(row.message.command_id.as_ref())
                .bind(row.saga_id.as_str())
                .bind(row.step.as_str())
                .bind(i64::from(row.attempt))
                .bind(row.body.as_str())
                .bind(now)
                .bind(next)
                .bind(i64::from(sends))
        })
        .await
}

/// Forgets the commands that events bear. Tells how many there were.
pub(crate) async fn delete_done(
    connection: &mut Connection,
    command_ids: &[&str],
) -> Result<u64, sqlx::Error> {
    connection.query(DELETE_DONE).bind_texts(command_ids).execute().await
}

/// Takes back a handover that the queue refused: the commands are due at once.
pub(crate) async fn make_due(
    connection: &mut Connection,
    command_ids: &[&str],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection
        .query(MAKE_DUE)
        .bind(now.timestamp_micros())
        .bind_texts(command_ids)
        .execute()
        .await?;
    Ok(())
}

/// Nobody knows what became of the handovers before a start: all commands are due.
pub(crate) async fn make_all_due(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    connection.query(MAKE_ALL_DUE).bind(now.timestamp_micros()).execute().await?;
    Ok(())
}

/// Commands that are due to be sent again, those that waited longest first.
pub(crate) async fn read_due(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<CommandMessage>, sqlx::Error> {
    let due = connection.query(DUE).bind(now.timestamp_micros()).bind(i64::from(limit));
    let bodies: Vec<String> = due.scalars().await?;
    bodies.iter().map(|body| serde_json::from_str(body).map_err(not_as_written)).collect()
}

/// Commands were handed over again at this time: the next time is so much later, or a few times that.
pub(crate) async fn reschedule(
    connection: &mut Connection,
    command_ids: &[&str],
    now: DateTime<Utc>,
    every: Duration,
) -> Result<(), sqlx::Error> {
    let every = i64::try_from(every.as_micros()).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let query = connection.query(RESCHEDULE).bind(now.timestamp_micros()).bind(every);
    query.bind_texts(command_ids).execute().await?;
    Ok(())
}

/// What a saga has on its way.
pub(crate) async fn read_sendings(
    reader: &mut Connection,
    saga_id: &str,
) -> Result<Vec<Sending>, sqlx::Error> {
    let rows = reader.query(OF_SAGA).bind(saga_id).fetch_all().await?;
    rows.iter()
        .map(|row| {
            Ok(Sending {
                command_id: row.try_get("command_id")?,
                created_at: instant(row.try_get("created_at")?)?,
                sends: count(row.try_get("sends")?)?,
            })
        })
        .collect()
}
