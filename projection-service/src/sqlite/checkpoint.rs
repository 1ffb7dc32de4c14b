//! How far a generation has folded the log: one row, changed in the transaction of the rows.

use event_store::{LogIdentity, Position};
use sqlx::{Row, SqliteConnection};
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
    VALUES (1, 0, NULL, $1, $2) ON CONFLICT (id) DO NOTHING";
const FIND: &str = "SELECT position, event_id, log, epoch FROM checkpoint WHERE id = 1";
const POSITION: &str = "SELECT position FROM checkpoint WHERE id = 1";
const ADVANCE: &str = "UPDATE checkpoint SET position = $1, event_id = $2
    WHERE id = 1 AND position = $3 AND log = $4 AND epoch = $5";

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

/// The checkpoint of the file; of this log's beginning when there is none yet.
pub async fn find_or_begin(
    connection: &mut SqliteConnection,
    identity: &LogIdentity,
) -> Result<Checkpoint, sqlx::Error> {
    sqlx::query(BEGIN).bind(&*identity.log).bind(identity.epoch).execute(&mut *connection).await?;
    find(connection).await
}

/// The checkpoint of the file.
pub async fn find(connection: &mut SqliteConnection) -> Result<Checkpoint, sqlx::Error> {
    let row = sqlx::query(FIND).fetch_one(connection).await?;
    Ok(Checkpoint {
        position: row.try_get::<i64, _>(0)?.cast_unsigned(),
        event_id: row.try_get(1)?,
        identity: LogIdentity { log: row.try_get::<String, _>(2)?.into(), epoch: row.try_get(3)? },
    })
}

/// The position alone, in whatever transaction the connection is.
pub async fn position(connection: &mut SqliteConnection) -> Result<Position, sqlx::Error> {
    let position: i64 = sqlx::query_scalar(POSITION).fetch_one(connection).await?;
    Ok(position.cast_unsigned())
}

/// Moves on from `from`; false when the file is not there: another writer was here.
pub async fn advance(
    connection: &mut SqliteConnection,
    from: &Checkpoint,
    position: Position,
    event_id: Uuid,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(ADVANCE)
        .bind(position.cast_signed())
        .bind(event_id)
        .bind(from.position.cast_signed())
        .bind(&*from.identity.log)
        .bind(from.identity.epoch)
        .execute(connection)
        .await?;
    Ok(moved.rows_affected() == 1)
}
