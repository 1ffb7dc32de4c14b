//! How far the log was read. Every transaction of the reader compares and updates this row first, and every other that writes
//! locks it first.
//!
//! **Invariant:** transactions that write happen one after the other. Else one that settles what was told and one that adds what
//! comes next of the same order would not see each other on PostgreSQL, and nobody would say that it is due.

use event_store::{LogIdentity, Mark, Position};
use storage::{Connection, Fence, Guarded, Location, Passed, Sql, Store, guarded};
use uuid::Uuid;

use super::{integer, not_as_written, unsigned};

/// Written in any case: so it waits for a commit whose answer was lost, and whoever reads it afterwards sees that commit.
const START: &str = "INSERT INTO checkpoint (singleton, position, event_id, log, epoch)
    VALUES (1, $1, NULL, $2, $3) ON CONFLICT (singleton) DO UPDATE SET singleton = 1";
const READ: &str = "SELECT position, event_id, log, epoch FROM checkpoint";
const ADVANCE: Guarded = guarded!(
    "UPDATE checkpoint SET position = $1, event_id = $2
    WHERE singleton = 1 AND position = $3 AND log = $4 AND epoch = $5",
    "$6",
    "$7"
);
/// On SQLite there is one writer.
const TAKE_TURN: Sql =
    Sql::per_dialect("SELECT 1 FROM checkpoint", "SELECT 1 FROM checkpoint FOR UPDATE");
const BEGIN_ANEW: &str = "UPDATE checkpoint SET position = $1, event_id = $2, log = $3, epoch = $4";

/// Where the reader stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The last position read.
    pub(crate) position: Position,
    /// The id of the event there; `None` where none was read.
    pub(crate) event_id: Option<Uuid>,
    /// The log that was read.
    pub(crate) log: LogIdentity,
}

/// Stands at this position, unless it stands somewhere already.
pub(crate) async fn start_checkpoint(
    connection: &mut Connection,
    log: &LogIdentity,
    position: Position,
) -> Result<(), sqlx::Error> {
    let start = connection.query(START).bind(integer(position)?).bind(log.log.as_ref());
    start.bind(i64::from(log.epoch)).execute().await?;
    Ok(())
}

pub(crate) async fn read_checkpoint(
    connection: &mut Connection,
) -> Result<Checkpoint, sqlx::Error> {
    let row = connection.query(READ).fetch_one().await?;
    let event_id: Option<String> = row.try_get("event_id")?;
    let log: String = row.try_get("log")?;
    let epoch: i64 = row.try_get("epoch")?;
    Ok(Checkpoint {
        position: unsigned(row.try_get("position")?)?,
        event_id: event_id.map(|id| id.parse().map_err(not_as_written)).transpose()?,
        log: LogIdentity { log: log.into(), epoch: u32::try_from(epoch).map_err(not_as_written)? },
    })
}

/// The first statement of the reader's transactions: compares the lease, and moves from where it believes to stand.
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

/// The first statements of a transaction that writes and does not read on: compares the lease, and waits for its turn. False when
/// somebody else has the lease.
pub(crate) async fn take_turn(
    connection: &mut Connection,
    fence: &Fence,
) -> Result<bool, sqlx::Error> {
    if !fence.pass(connection).await? {
        return Ok(false);
    }
    connection.query(TAKE_TURN).fetch_optional().await?;
    Ok(true)
}

/// Stands elsewhere, in a log that goes on in another way.
pub(crate) async fn begin_anew(
    connection: &mut Connection,
    to: &Checkpoint,
) -> Result<(), sqlx::Error> {
    let begin = connection.query(BEGIN_ANEW).bind(integer(to.position)?);
    let begin = begin.bind(to.event_id.map(|id| id.to_string())).bind(to.log.log.as_ref());
    begin.bind(i64::from(to.log.epoch)).execute().await?;
    Ok(())
}

/// Where the reader of these tables stands; `None` when it read nothing yet.
pub(crate) async fn read_mark(location: &Location) -> Result<Option<Mark>, sqlx::Error> {
    let store = Store::open_read_only(location, 1).await?;
    let mut reader = store.reader().await?;
    let checkpoint = read_checkpoint(&mut reader).await;
    drop(reader);
    store.close().await;
    match checkpoint {
        Ok(Checkpoint { position, event_id, log }) => Ok(Some(Mark { log, position, event_id })),
        Err(sqlx::Error::RowNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
