//! An event that this version can't read, as one that was rolled back may have left it in the log; and a message.

use anyhow::Result;
use sqlx::{Connection as _, PgConnection, Row as _};

/// A version that nobody has written yet.
const NOT_YET: i32 = 99;
const LAST_METADATA: &str = "SELECT metadata FROM events ORDER BY position DESC LIMIT 1";
const LEAVE: &str = "INSERT INTO events
        (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)
    SELECT max(position) + 1, $1, 1,
        (lpad(to_hex(max(recorded_at) / 1000), 12, '0') || '7abc8' || substr(md5($1), 1, 15))::uuid, $2, $3, '{}',
        jsonb_set($4::jsonb, '{command_id}', to_jsonb($5::text))::text, max(recorded_at) + 1
    FROM events RETURNING position";
/// As its command was answered.
const ANSWER: &str =
    "INSERT INTO commands (command_id, request_hash, status, body, version, position)
    VALUES ($1, decode(repeat('00', 32), 'hex'), 200, '{}', 1, $2)";
const UNLOCK: &str = "ALTER TABLE events DISABLE TRIGGER events_are_never_changed";
const MEND: &str = "UPDATE events SET schema_version = 1, payload = $2 WHERE position = $1";
const LOCK: &str = "ALTER TABLE events ENABLE TRIGGER events_are_never_changed";
const MEND_LETTERS: &str =
    "UPDATE command_service.dead_letters SET body = replace(body, 'Teleport', 'ReleaseStock')";

/// What is left in the log, and what it should have been.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poison {
    pub(crate) event_type: &'static str,
    pub(crate) stream: &'static str,
    /// What this version reads.
    pub(crate) readable: &'static str,
    /// A read model that has to read it.
    pub(crate) model: &'static str,
}

/// Where it is.
#[derive(Debug)]
pub(crate) struct PoisonedEvent {
    what: Poison,
    pub(crate) position: i64,
}

impl Poison {
    /// Appends it. Nobody else may append meanwhile.
    pub(crate) async fn leave(self, log: &str) -> Result<PoisonedEvent> {
        let mut connection = PgConnection::connect(log).await?;
        let last = sqlx::query(LAST_METADATA).fetch_one(&mut connection).await?;
        let leave = sqlx::query(LEAVE).bind(self.stream);
        let leave = leave.bind(self.event_type).bind(NOT_YET).bind(last.get::<&str, _>(0));
        let command_id = format!("newer/{}", self.stream);
        let position =
            leave.bind(command_id.as_str()).fetch_one(&mut connection).await?.get::<i64, _>(0);
        sqlx::query(ANSWER).bind(command_id).bind(position).execute(&mut connection).await?;
        connection.close().await?;
        Ok(PoisonedEvent { what: self, position })
    }
}

impl PoisonedEvent {
    /// Puts the row right, past the trigger that refuses every change: only the owner of the tables can.
    pub(crate) async fn mend(&self, log: &str) -> Result<()> {
        let mut connection = PgConnection::connect(log).await?;
        sqlx::raw_sql(UNLOCK).execute(&mut connection).await?;
        let mend = sqlx::query(MEND).bind(self.position).bind(self.what.readable);
        mend.execute(&mut connection).await?;
        sqlx::raw_sql(LOCK).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

/// Makes what a message asks for something that this version knows.
pub(crate) async fn mend_letters(log: &str) -> Result<()> {
    let mut connection = PgConnection::connect(log).await?;
    sqlx::raw_sql(MEND_LETTERS).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
