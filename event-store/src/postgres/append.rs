//! The append: one call of one function of the server, which locks, checks or judges, writes and commits. A batch that
//! turns out to be disputed takes a second call, of the function that judges in turn.
//!
//! The server says what it found and what it accepted; the verdicts follow from that by the same judge as everywhere.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row as _};
use storage::postgres::PostgresPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::batch::{self, IntentChanges};
use crate::clock::{self, Clock};
use crate::error::{AppendError, StoreError};
use crate::head;
use crate::judge::{self, Known, judge};
use crate::recent::Recent;
use crate::sql::rows::{CommandRow, count, undecodable};
use crate::types::{AppendTransaction, KnownCommand, Position, RecordedEvent, StreamId, Verdict};

use super::arguments::Arguments;
use super::token::Token;
use super::undisputed::Undisputed;

const APPEND: &str = "SELECT head, versions, accepted, known_command, known_hash, known_status, known_body, \
    known_version, known_position \
    FROM append_to_log($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
    $22, $23, $24, $25, $26, $27, $28, $29, $30)";

/// Raised by the function when the token is not the log's.
const SUPERSEDED: &str = "DK001";

/// What an append needs. Owns it all, so that it outlives its caller.
pub(super) struct Appender {
    pub(super) writer: PostgresPool,
    pub(super) token: Token,
    pub(super) head: watch::Sender<Position>,
    pub(super) recent: Arc<Recent>,
    pub(super) clock: Clock,
}

/// What the server found, and what it accepted.
struct Found {
    known: Known,
    accepted: Accepted,
}

/// What the server accepted of a batch.
enum Accepted {
    /// Everything; the events have these ids.
    All(Vec<Uuid>),
    /// What it says.
    Some(Vec<bool>),
}

impl Appender {
    pub(super) async fn append(
        self,
        batch: Vec<AppendTransaction>,
    ) -> Result<Vec<Verdict>, AppendError> {
        batch::check_sizes(&batch)?;
        let token = self.token.held().ok_or(AppendError::Superseded)?;
        let encoded: Result<Vec<String>, _> =
            batch.iter().map(|transaction| serde_json::to_string(&transaction.metadata)).collect();
        let metadata = encoded.map_err(|error| StoreError::new("encode a batch", error))?;
        let now = clock::read(&self.clock);
        let micros = now.timestamp_micros();
        let called = self
            .writer
            .call(async |connection| commit(connection, token, micros, &batch, &metadata).await);
        match called.await {
            Ok(found) => self.verdicts(&batch, found, now),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(SUPERSEDED) => {
                self.token.lost(token);
                Err(AppendError::Superseded)
            }
            Err(error) => Err(StoreError::new("append", error).into()),
        }
    }

    fn verdicts(
        &self,
        batch: &[AppendTransaction],
        found: Found,
        now: DateTime<Utc>,
    ) -> Result<Vec<Verdict>, AppendError> {
        let head = found.known.head;
        let judgement = judge(batch, found.known);
        let passed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
        let agreed = match &found.accepted {
            Accepted::All(ids) => {
                let all = judgement.verdicts.iter().all(passed);
                // Who follows the head need not ask for them. A batch that was judged leaves a hole, and is read.
                if all {
                    self.recent.remember_after(head, recorded(&judgement.accepted, ids, now));
                }
                all
            }
            Accepted::Some(accepted) => {
                judgement.verdicts.iter().map(passed).eq(accepted.iter().copied())
            }
        };
        head::raise(&self.head, judgement.head);
        if !agreed {
            // Two programs of different versions on one database: nothing that is said here can be relied on.
            let error = "the server judged the batch otherwise than this program does";
            return Err(StoreError::new("append", error).into());
        }
        Ok(judgement.verdicts)
    }
}

/// The events of transactions that all passed, as they stand in the log.
fn recorded(
    accepted: &[judge::Accepted<'_>],
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Vec<RecordedEvent> {
    let numbered =
        accepted.iter().flat_map(|judge::Accepted { transaction, after, versions, .. }| {
            let numbered = (after + 1..).zip(versions).zip(&transaction.events);
            numbered
                .map(move |((position, version), event)| (transaction, position, version, event))
        });
    let events =
        numbered.zip(ids).map(|((transaction, position, &version, event), &id)| RecordedEvent {
            position,
            stream: Arc::clone(&event.stream),
            version,
            id,
            event_type: Arc::clone(&event.event_type),
            schema_version: event.schema_version,
            payload: event.payload.clone(),
            metadata: Arc::clone(&transaction.metadata),
            recorded_at: now,
        });
    events.collect()
}

/// The usual batch passes whole; another one is judged in turn. Each is one call, which commits all or nothing.
async fn commit(
    connection: &mut PgConnection,
    token: i64,
    now: i64,
    batch: &[AppendTransaction],
    metadata: &[String],
) -> Result<Found, sqlx::Error> {
    if let Some(undisputed) = Undisputed::of(batch, metadata) {
        let changes = batch.iter().flat_map(|transaction| &transaction.intents);
        let intents = IntentChanges::of(changes);
        if let Some(known) = undisputed.append(connection, token, now, &intents).await? {
            return Ok(Found { known, accepted: Accepted::All(undisputed.into_ids()) });
        }
    }
    let arguments = Arguments::of(batch, metadata);
    let arguments = arguments.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let row = judge_in_turn(token, now, &arguments).fetch_one(connection).await?;
    found(&row, &arguments.stream_names, batch.len())
}

fn judge_in_turn<'q>(
    token: i64,
    now: i64,
    arguments: &'q Arguments<'_>,
) -> Query<'q, Postgres, PgArguments> {
    let Arguments { stream_names, ids_repeat, transactions, reads, events, intents, .. } =
        arguments;
    sqlx::query(APPEND)
        .bind(token)
        .bind(now)
        .bind(stream_names)
        .bind(ids_repeat)
        .bind(&transactions.ids)
        .bind(&transactions.first_of_id)
        .bind(&transactions.hashes)
        .bind(&transactions.statuses)
        .bind(&transactions.bodies)
        .bind(&transactions.targets)
        .bind(&transactions.target_offsets)
        .bind(&transactions.last_events)
        .bind(&reads.transactions)
        .bind(&reads.streams)
        .bind(&reads.versions)
        .bind(&reads.bases)
        .bind(&events.transactions)
        .bind(&events.places)
        .bind(&events.streams)
        .bind(&events.names)
        .bind(&events.offsets)
        .bind(&events.ids)
        .bind(&events.types)
        .bind(&events.schemas)
        .bind(&events.payloads)
        .bind(&events.metadata)
        .bind(&intents.transactions)
        .bind(&intents.opens)
        .bind(&intents.ids)
        .bind(&intents.payloads)
}

fn found(row: &PgRow, streams: &[&str], transactions: usize) -> Result<Found, sqlx::Error> {
    let head = count(row.try_get(0)?)?;
    let versions: Vec<i64> = row.try_get(1)?;
    let versions = streams.iter().zip(versions).map(|(&stream, version)| {
        let stream: StreamId = stream.into();
        Ok((stream, count(version)?))
    });
    let versions = versions.collect::<Result<_, sqlx::Error>>()?;
    Ok(Found {
        known: Known { commands: commands(row)?, versions, head },
        accepted: match row.try_get(2)? {
            Some(accepted) => Accepted::Some(accepted),
            None => Accepted::Some(vec![true; transactions]),
        },
    })
}

/// The commands that the server knew before the batch: an array a column.
fn commands(row: &PgRow) -> Result<HashMap<Arc<str>, KnownCommand>, sqlx::Error> {
    let Some(ids) = row.try_get::<Option<Vec<String>>, _>(3)? else {
        return Ok(HashMap::new());
    };
    let hashes: Vec<Vec<u8>> = row.try_get(4)?;
    let statuses: Vec<i32> = row.try_get(5)?;
    let bodies: Vec<String> = row.try_get(6)?;
    let versions: Vec<i64> = row.try_get(7)?;
    let positions: Vec<i64> = row.try_get(8)?;
    let length = ids.len();
    let rows = ids.into_iter().zip(hashes).zip(statuses).zip(bodies).zip(versions).zip(positions);
    let rows = rows.map(|(((((command_id, request_hash), status), body), version), position)| {
        CommandRow { command_id, request_hash, status, body, version, position }.try_into()
    });
    let commands = rows.collect::<Result<Vec<(Arc<str>, KnownCommand)>, sqlx::Error>>()?;
    if commands.len() == length {
        Ok(commands.into_iter().collect())
    } else {
        Err(undecodable("columns of known commands of different lengths"))
    }
}
