//! The table of the limits: an event as everybody writes it, and the indexes that an event store can't be without.

use anyhow::Result;
use sqlx::PgConnection;
use uuid::Uuid;

const TABLE: &str = "CREATE TABLE plain (
    position   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream     text COLLATE \"C\" NOT NULL,
    version    bigint NOT NULL,
    id         uuid NOT NULL UNIQUE,
    type       text NOT NULL,
    payload    text NOT NULL,
    metadata   text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (stream, version)
)";

const BULK: &str = "INSERT INTO plain (stream, version, id, type, payload, metadata)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[])
    RETURNING position";

/// What an answer that is kept for ever needs, as Docket keeps it.
const ANSWERS: &str = "CREATE TABLE answers (
    command_id   text COLLATE \"C\" PRIMARY KEY,
    request_hash bytea   NOT NULL,
    status       integer NOT NULL,
    body         text    NOT NULL,
    version      bigint  NOT NULL,
    position     bigint  NOT NULL
)";

/// The same events, and an answer beside each. Who writes alone knows the positions.
const ANSWERED: &str = "WITH inserted AS (
        INSERT INTO plain (position, stream, version, id, type, payload, metadata) OVERRIDING SYSTEM VALUE
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[])
    )
    INSERT INTO answers (command_id, request_hash, status, body, version, position)
    SELECT id, $9, 200, '{}', version, position FROM unnest($8::text[], $3::bigint[], $1::bigint[])
        AS new (id, version, position)";

const HASH: [u8; 32] = [7; 32];

const STREAMS: u32 = 10_000;
const LENGTH: i64 = 5;
const EVENT_TYPE: &str = "StockAdjusted";

/// Many events, a column each.
#[derive(Debug, Default)]
pub(in crate::limits) struct Rows {
    streams: Vec<String>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    types: Vec<&'static str>,
    payloads: Vec<&'static str>,
    metadata: Vec<&'static str>,
}

/// Makes the tables, with 10,000 streams of 5 events and no answer.
pub(in crate::limits) async fn create(connection: &mut PgConnection) -> Result<()> {
    sqlx::query(TABLE).execute(&mut *connection).await?;
    sqlx::query(ANSWERS).execute(&mut *connection).await?;
    for version in 1..=LENGTH {
        let mut rows = Rows::default();
        for stream in 0..STREAMS {
            rows.push(stream_name(stream), version);
        }
        rows.insert(connection).await?;
    }
    Ok(())
}

/// The version that comes next on a loaded stream, when a client has been there so often.
pub(super) fn next_version(times: u64) -> i64 {
    LENGTH + 1 + i64::try_from(times).unwrap_or(i64::MAX)
}

pub(super) fn stream_name(number: u32) -> String {
    format!("stock-b-{number:05}")
}

/// 267 bytes.
pub(super) fn payload() -> &'static str {
    super::super::PAYLOAD
}

/// 148 bytes.
pub(super) fn metadata() -> &'static str {
    super::super::METADATA
}

pub(super) const TYPE: &str = EVENT_TYPE;

impl Rows {
    /// One more.
    pub(in crate::limits) fn push(&mut self, stream: String, version: i64) {
        self.streams.push(stream);
        self.versions.push(version);
        self.ids.push(event_id());
        self.types.push(EVENT_TYPE);
        self.payloads.push(payload());
        self.metadata.push(metadata());
    }

    /// All of them as one statement, which is one commit. The positions.
    pub(in crate::limits) async fn insert(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar(BULK)
            .bind(&self.streams)
            .bind(&self.versions)
            .bind(&self.ids)
            .bind(&self.types)
            .bind(&self.payloads)
            .bind(&self.metadata)
            .fetch_all(connection)
            .await
    }

    /// The same with an answer beside each event, under a key of its own; `head` is the last position that is taken.
    pub(super) async fn insert_answered(
        &self,
        connection: &mut PgConnection,
        head: i64,
    ) -> Result<Vec<i64>, sqlx::Error> {
        let positions: Vec<i64> = (head + 1..).take(self.ids.len()).collect();
        // As long as the keys of the load.
        let keys: Vec<String> = self.ids.iter().map(|id| format!("{id:x<55}")).collect();
        sqlx::query(ANSWERED)
            .bind(&positions)
            .bind(&self.streams)
            .bind(&self.versions)
            .bind(&self.ids)
            .bind(&self.types)
            .bind(&self.payloads)
            .bind(&self.metadata)
            .bind(keys)
            .bind(&HASH[..])
            .execute(connection)
            .await?;
        Ok(positions)
    }
}

/// The last position of the loaded streams.
pub(super) fn loaded() -> i64 {
    i64::from(STREAMS) * LENGTH
}

/// Ordered by time, as the log's.
pub(super) fn event_id() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "there is no event store here")]
    Uuid::now_v7()
}
