//! The append: one transaction, one commit, a handful of statements whatever the size of the batch.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};
use storage::{BulkStatement, Database, WriteTransaction};
use tokio::sync::watch;

use crate::batch::{self, IntentChanges};
use crate::clock::{self, Clock};
use crate::error::AppendError;
use crate::judge::{Accepted, judge};
use crate::recent::Recent;
use crate::sql::rows::integer;
use crate::types::{AppendTransaction, Metadata, Position, RecordedEvent, StoredAnswer, Verdict};
use crate::{event_id, head};

use super::trouble::Trouble;
use super::{intents, known, schema};

/// `OR FAIL`: a failure rolls the whole transaction back anyway, so the statement need not be able to undo itself, which
/// would copy every page that it touches.
static INSERT_EVENTS: BulkStatement = BulkStatement::new(
    "INSERT OR FAIL INTO events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)",
    9,
    "",
);

static INSERT_COMMANDS: BulkStatement = BulkStatement::new(COMMANDS, 6, "");
/// The last rows go along with the commit.
static INSERT_LAST_COMMANDS: BulkStatement = BulkStatement::new(COMMANDS, 6, "; COMMIT");
const COMMANDS: &str =
    "INSERT OR FAIL INTO commands (command_id, request_hash, status, body, version, position)";
const COMMIT: &str = "COMMIT";

/// What an append needs. Owns it all, so that it outlives its caller.
pub(super) struct Appender {
    pub(super) database: Database,
    pub(super) head: watch::Sender<Position>,
    pub(super) recent: Arc<Recent>,
    pub(super) trouble: Trouble,
    pub(super) clock: Clock,
}

impl Appender {
    pub(super) async fn append(
        self,
        batch: Vec<AppendTransaction>,
    ) -> Result<Vec<Verdict>, AppendError> {
        batch::check_sizes(&batch)?;
        match self.commit(&batch).await {
            Ok((verdicts, position)) => {
                head::raise(&self.head, position);
                Ok(verdicts)
            }
            Err(error) => {
                self.look_at_head().await;
                Err(self.trouble.failed("append", error).into())
            }
        }
    }

    async fn commit(
        &self,
        batch: &[AppendTransaction],
    ) -> Result<(Vec<Verdict>, Position), sqlx::Error> {
        let mut transaction = WriteTransaction::of_own_words(self.database.writer()).await?;
        let connection = transaction.connection();
        let judgement = judge(batch, known::begin_and_ask(connection, batch).await?);
        let now = clock::read(&self.clock);
        let events = recorded(&judgement.accepted, now);
        insert_events(connection, &events).await?;
        let committed =
            judgement.accepted.iter().flat_map(|accepted| &accepted.transaction.intents);
        intents::change(connection, &IntentChanges::of(committed), now).await?;
        insert_commands_and_commit(connection, &judgement.accepted).await?;
        transaction.is_committed();
        self.recent.remember(events);
        Ok((judgement.verdicts, judgement.head))
    }

    /// A commit that failed may have happened: readers must learn of it even when nothing is appended afterwards.
    async fn look_at_head(&self) {
        let Ok(mut reader) = self.database.reader().acquire().await else { return };
        if let Ok(position) = schema::head(&mut reader).await {
            head::raise(&self.head, position);
        }
    }
}

/// The events of the accepted transactions, as they will stand in the log.
fn recorded(accepted: &[Accepted<'_>], now: DateTime<Utc>) -> Vec<RecordedEvent> {
    let mut events =
        Vec::with_capacity(accepted.iter().map(|accepted| accepted.versions.len()).sum());
    for Accepted { transaction, after, versions, .. } in accepted {
        let numbered = (after + 1..).zip(versions).zip(&transaction.events);
        events.extend(numbered.map(|((position, &version), event)| RecordedEvent {
            position,
            stream: Arc::clone(&event.stream),
            version,
            id: event_id::draw(),
            event_type: Arc::clone(&event.event_type),
            schema_version: event.schema_version,
            payload: event.payload.clone(),
            metadata: Arc::clone(&transaction.metadata),
            recorded_at: now,
        }));
    }
    events
}

async fn insert_events(
    connection: &mut SqliteConnection,
    events: &[RecordedEvent],
) -> Result<(), sqlx::Error> {
    let metadata = encode_metadata(events)?;
    let rows: Vec<_> = events.iter().zip(&metadata).collect();
    INSERT_EVENTS
        .execute(connection, &rows, |query, (event, metadata)| {
            query
                .bind(integer(event.position))
                .bind(Arc::clone(&event.stream))
                .bind(integer(event.version))
                .bind(event.id)
                .bind(Arc::clone(&event.event_type))
                .bind(event.schema_version)
                .bind(event.payload.as_str())
                .bind(Arc::clone(metadata))
                .bind(event.recorded_at.timestamp_micros())
        })
        .await?;
    Ok(())
}

/// The metadata of each event as text. The events of a transaction share theirs.
fn encode_metadata(events: &[RecordedEvent]) -> Result<Vec<Arc<str>>, sqlx::Error> {
    let mut texts: Vec<Arc<str>> = Vec::with_capacity(events.len());
    let mut last: Option<(&Arc<Metadata>, Arc<str>)> = None;
    for event in events {
        let text = match &last {
            Some((metadata, text)) if Arc::ptr_eq(metadata, &event.metadata) => Arc::clone(text),
            _ => {
                let text = serde_json::to_string(&event.metadata);
                text.map_err(|error| sqlx::Error::Encode(error.into()))?.into()
            }
        };
        last = Some((&event.metadata, Arc::clone(&text)));
        texts.push(text);
    }
    Ok(texts)
}

async fn insert_commands_and_commit(
    connection: &mut SqliteConnection,
    accepted: &[Accepted<'_>],
) -> Result<(), sqlx::Error> {
    let rows: Vec<CommandRow<'_>> = accepted
        .iter()
        .filter_map(|accepted| Some((accepted.transaction, accepted.answer.as_ref()?)))
        .collect();
    let (rows, last) = rows.split_at(rows.len() - BulkStatement::last_chunk(rows.len()));
    INSERT_COMMANDS.execute(connection, rows, bind_command).await?;
    if last.is_empty() {
        sqlx::query(COMMIT).execute(connection).await?;
    } else {
        INSERT_LAST_COMMANDS.execute(connection, last, bind_command).await?;
    }
    Ok(())
}

type CommandRow<'a> = (&'a AppendTransaction, &'a StoredAnswer);
type Insert<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind_command<'q>(query: Insert<'q>, (transaction, answer): &'q CommandRow<'_>) -> Insert<'q> {
    query
        .bind(Arc::clone(&transaction.command_id))
        .bind(&transaction.request_hash[..])
        .bind(answer.status)
        .bind(answer.body.as_str())
        .bind(integer(answer.version))
        .bind(integer(answer.position))
}
