//! How far a generation has folded the log: one row, changed in the transaction of the rows.

use event_store::{LogIdentity, Position};
use storage::{Connection, Fence, Guarded, Passed, guarded};
use uuid::Uuid;

/// The table, empty in a new file.
pub const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    event_id BLOB,
    log TEXT NOT NULL,
    epoch INTEGER NOT NULL
) STRICT";

const BEGIN: &str = "INSERT INTO checkpoint (id, position, event_id, log, epoch)
    VALUES (1, 0, NULL, $1, $2) ON CONFLICT (id) DO UPDATE SET id = 1";
const FIND: &str = "SELECT position, event_id, log, epoch FROM checkpoint WHERE id = 1";
const POSITION: &str = "SELECT position FROM checkpoint WHERE id = 1";
const ENTER_EPOCH: &str = "UPDATE checkpoint SET epoch = $1 WHERE id = 1";
const ADVANCE: Guarded = guarded!(
    "UPDATE checkpoint SET position = $1, event_id = $2
    WHERE id = 1 AND position = $3 AND log = $4 AND epoch = $5",
    "$6",
    "$7"
);

/// How far a generation has folded which log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last position folded; 0 before the first.
    pub position: Position,
    /// The id of the event there.
    pub event_id: Option<Uuid>,
    /// The log that was folded.
    pub identity: LogIdentity,
}

/// The checkpoint that is kept; of this log's beginning when there is none yet. It writes the row in any case: so it waits
/// for a commit whose answer was lost, and sees it.
pub async fn find_or_begin(
    connection: &mut Connection,
    identity: &LogIdentity,
) -> Result<Checkpoint, sqlx::Error> {
    connection.query(BEGIN).bind(&*identity.log).bind(i64::from(identity.epoch)).execute().await?;
    find(connection).await
}

/// The checkpoint of the file.
pub async fn find(connection: &mut Connection) -> Result<Checkpoint, sqlx::Error> {
    let row = connection.query(FIND).fetch_one().await?;
    let event_id: Option<Vec<u8>> = row.try_get(1)?;
    let event_id = event_id.map(|bytes| Uuid::from_slice(&bytes)).transpose();
    let log: String = row.try_get(2)?;
    Ok(Checkpoint {
        position: row.try_get::<i64, _>(0)?.cast_unsigned(),
        event_id: event_id.map_err(|error| sqlx::Error::Decode(error.into()))?,
        identity: LogIdentity { log: log.into(), epoch: number(row.try_get(3)?)? },
    })
}

/// The position alone, in whatever transaction the connection is.
pub async fn position(connection: &mut Connection) -> Result<Position, sqlx::Error> {
    let position: i64 = connection.query(POSITION).scalar().await?;
    Ok(position.cast_unsigned())
}

/// What is here is of this epoch of its log from now on.
pub async fn enter_epoch(connection: &mut Connection, epoch: u32) -> Result<(), sqlx::Error> {
    connection.query(ENTER_EPOCH).bind(i64::from(epoch)).execute().await.map(drop)
}

/// The first statement of a transaction that writes: compares the lease, and moves on from `from`, unless the file is not
/// there.
pub async fn advance(
    connection: &mut Connection,
    fence: &Fence,
    from: &Checkpoint,
    position: Position,
    event_id: Uuid,
) -> Result<Passed, sqlx::Error> {
    let passed = fence.pass_with(connection, &ADVANCE, |query| {
        query
            .bind(position.cast_signed())
            .bind(event_id.as_bytes().as_slice())
            .bind(from.position.cast_signed())
            .bind(&*from.identity.log)
            .bind(i64::from(from.identity.epoch))
    });
    passed.await
}

/// A small number, which both dialects give as 64 bits.
pub(super) fn number(number: i64) -> Result<u32, sqlx::Error> {
    u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}
