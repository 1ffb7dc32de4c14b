//! The append: one call of one function of the server, which locks, checks or judges, writes and commits. A batch that
//! turns out to be disputed takes a second call, of the function that judges in turn.
//!
//! The server says what it found and what it accepted; the verdicts follow from that by the same judge as everywhere.

use std::collections::HashMap;
use std::mem;
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
use crate::judge::{Known, judge};
use crate::recent::Recent;
use crate::sql::rows::{CommandRow, count, undecodable};
use crate::types::{
    AppendTransaction, KnownCommand, Metadata, NewEvent, Position, RecordedEvent, StreamId,
    Verdict, Version,
};

use super::answering::Answering;
use super::arguments::Arguments;
use super::ledger::{Kept, Ledger};
use super::token::Token;
use super::undisputed::{Passed, Undisputed};

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
    pub(super) ledger: Arc<Ledger>,
    /// The head that this process's appends reached.
    pub(super) appended: watch::Sender<Position>,
    pub(super) clock: Clock,
    pub(super) answering: Answering,
}

/// What the server said of a batch.
enum Said {
    /// It passed whole.
    Passed(Passed),
    /// It was judged in turn.
    Judged(Found),
}

/// What the server found, and which transactions it accepted.
struct Found {
    known: Known,
    accepted: Vec<bool>,
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
        let mut ledger = self.ledger.take(token);
        let known = &ledger;
        let under_way = self.answering.begin();
        let called = self.writer.call(async |connection| {
            commit(connection, token, micros, &batch, &metadata, known).await
        });
        let called = called.await;
        match called.as_ref().err().filter(|error| !is_superseded(error)) {
            None => under_way.answered(),
            Some(error) => under_way.failed(error.to_string()),
        }
        match called {
            Ok(Said::Passed(mut passed)) => {
                let head = passed.after + passed.events.len() as Position;
                ledger.learn(token, head, mem::take(&mut passed.streams));
                self.ledger.put(ledger);
                Ok(self.remember(batch, passed, now))
            }
            Ok(Said::Judged(found)) => self.verdicts(&batch, found),
            Err(error) if is_superseded(&error) => {
                self.token.lost(token);
                Err(AppendError::Superseded)
            }
            Err(error) => Err(StoreError::new("append", error).into()),
        }
    }

    /// The verdicts on a batch that passed whole. Who follows the head need not ask the server for its events.
    fn remember(
        &self,
        batch: Vec<AppendTransaction>,
        Passed { after, events, answered, .. }: Passed,
        now: DateTime<Utc>,
    ) -> Vec<Verdict> {
        let (mut position, mut answered) = (after, answered.into_iter());
        let mut appended = Vec::with_capacity(events.len());
        let mut events = events.into_iter();
        let verdicts =
            batch.into_iter().map(|AppendTransaction { events: new, metadata, answer, .. }| {
                for (event, (id, version)) in new.into_iter().zip(&mut events) {
                    position += 1;
                    appended.push(recorded(event, position, id, version, &metadata, now));
                }
                let version = answer.and_then(|_| answered.next()).unwrap_or_default();
                Verdict::Committed { position, version }
            });
        let verdicts = verdicts.collect();
        self.recent.remember_after(after, appended);
        self.reached(position);
        verdicts
    }

    fn reached(&self, position: Position) {
        head::raise(&self.head, position);
        head::raise(&self.appended, position);
    }

    /// The verdicts on a batch that was judged. It leaves a hole in what is remembered, and is read.
    fn verdicts(
        &self,
        batch: &[AppendTransaction],
        Found { known, accepted }: Found,
    ) -> Result<Vec<Verdict>, AppendError> {
        let judgement = judge(batch, known);
        let passed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
        self.reached(judgement.head);
        if !judgement.verdicts.iter().map(passed).eq(accepted) {
            // Two programs of different versions on one database: nothing that is said here can be relied on.
            let error = "the server judged the batch otherwise than this program does";
            return Err(StoreError::new("append", error).into());
        }
        Ok(judgement.verdicts)
    }
}

fn is_superseded(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(SUPERSEDED))
}

fn recorded(
    event: NewEvent,
    position: Position,
    id: Uuid,
    version: Version,
    metadata: &Arc<Metadata>,
    now: DateTime<Utc>,
) -> RecordedEvent {
    let NewEvent { stream, event_type, schema_version, payload } = event;
    let metadata = Arc::clone(metadata);
    let recorded_at = now;
    RecordedEvent {
        position,
        stream,
        version,
        id,
        event_type,
        schema_version,
        payload,
        metadata,
        recorded_at,
    }
}

/// The usual batch passes whole; another one is judged in turn. Each is one call, which commits all or nothing.
async fn commit(
    connection: &mut PgConnection,
    token: i64,
    now: i64,
    batch: &[AppendTransaction],
    metadata: &[String],
    ledger: &Kept,
) -> Result<Said, sqlx::Error> {
    if let Some(undisputed) = Undisputed::of(batch, metadata) {
        let changes = batch.iter().flat_map(|transaction| &transaction.intents);
        let intents = IntentChanges::of(changes);
        if let Some(passed) = undisputed.append(connection, token, now, &intents, ledger).await? {
            return Ok(Said::Passed(passed));
        }
    }
    let arguments = Arguments::of(batch, metadata);
    let arguments = arguments.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let row = judge_in_turn(token, now, &arguments).fetch_one(connection).await?;
    found(&row, &arguments.stream_names, batch.len()).map(Said::Judged)
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
        accepted: row.try_get::<Option<_>, _>(2)?.unwrap_or_else(|| vec![true; transactions]),
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
