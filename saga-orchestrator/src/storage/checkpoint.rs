//! How far the log was folded. Every transaction compares and updates this row first: a second orchestrator, or a
//! restored file, finds it moved and stops.

use event_store::{LogIdentity, Position};
use storage::{Connection, Fence, Guarded, Passed, guarded};
use uuid::Uuid;

use super::{count, integer, not_as_written, unsigned};

const START: &str = "INSERT INTO checkpoint (singleton, position, event_id, log, epoch)
    VALUES (1, 0, NULL, $1, $2) ON CONFLICT (singleton) DO UPDATE SET singleton = 1";
const READ: &str = "SELECT position, event_id, log, epoch FROM checkpoint";
const POSITION: &str = "SELECT position FROM checkpoint";
const ADVANCE: Guarded = guarded!(
    "UPDATE checkpoint SET position = $1, event_id = $2
    WHERE singleton = 1 AND position = $3 AND log = $4 AND epoch = $5",
    "$6",
    "$7"
);

/// Where the orchestrator stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The last position folded.
    pub(crate) position: Position,
    /// The id of the event there; `None` before the first.
    pub(crate) event_id: Option<Uuid>,
    /// The log that was folded.
    pub(crate) log: LogIdentity,
}

/// Stands before the first event, unless it stands somewhere already. It writes the row in any case: so it waits for a
/// commit whose answer was lost, and whoever reads the checkpoint afterwards sees that commit.
pub(crate) async fn start_checkpoint(
    connection: &mut Connection,
    log: &LogIdentity,
) -> Result<(), sqlx::Error> {
    connection.query(START).bind(log.log.as_ref()).bind(i64::from(log.epoch)).execute().await?;
    Ok(())
}

pub(crate) async fn read_checkpoint(
    connection: &mut Connection,
) -> Result<Checkpoint, sqlx::Error> {
    let row = connection.query(READ).fetch_one().await?;
    let event_id: Option<String> = row.try_get("event_id")?;
    let event_id = event_id.map(|id| id.parse().map_err(not_as_written)).transpose()?;
    let log: String = row.try_get("log")?;
    Ok(Checkpoint {
        position: unsigned(row.try_get("position")?)?,
        event_id,
        log: LogIdentity { log: log.into(), epoch: count(row.try_get("epoch")?)? },
    })
}

pub(crate) async fn read_position(connection: &mut Connection) -> Result<Position, sqlx::Error> {
    let position: Option<i64> = connection.query(POSITION).scalar_optional().await?;
    unsigned(position.unwrap_or_default())
}

/// The first statement of a transaction that writes: compares the lease, and moves from where we believe to stand.
pub(crate) async fn advance(
    connection: &mut Connection,
    fence: &Fence,
    from: &Checkpoint,
    to: Position,
    event_id: Option<Uuid>,
) -> Result<Passed, sqlx::Error> {
    let (to, from_position) = (integer(to)?, integer(from.position)?);
    let passed = fence.pass_with(connection, &ADVANCE, |query| {
        query
            .bind(to)
            .bind(event_id.map(|id| id.to_string()))
            .bind(from_position)
            .bind(from.log.log.as_ref())
            .bind(i64::from(from.log.epoch))
    });
    passed.await
}
