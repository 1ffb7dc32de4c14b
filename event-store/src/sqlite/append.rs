//! The append: one transaction, one commit, a handful of statements whatever the size of the batch.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use storage::{BulkStatement, Database};
use tokio::sync::watch;
use uuid::Uuid;

use crate::batch::{self, IntentChanges};
use crate::clock::{self, Clock};
use crate::error::{AppendError, StoreError};
use crate::judge::{Accepted, judge};
use crate::sql::rows::integer;
use crate::types::{AppendTransaction, NewEvent, Position, StoredAnswer, Verdict, Version};
use crate::{event_id, head};

use super::{intents, known, schema};

const BEGIN: &str = "BEGIN IMMEDIATE";

static INSERT_EVENTS: BulkStatement = BulkStatement::new(
    "INSERT INTO events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)",
    9,
    "",
);

static INSERT_COMMANDS: BulkStatement = BulkStatement::new(
    "INSERT INTO commands (command_id, request_hash, status, body, version, position)",
    6,
    "",
);

/// What an append needs. Owns it all, so that it outlives its caller.
pub(super) struct Appender {
    pub(super) database: Database,
    pub(super) head: watch::Sender<Position>,
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
                Err(StoreError::new("append", error).into())
            }
        }
    }

    /// A transaction that is dropped before its commit is rolled back before its connection is used again.
    async fn commit(
        &self,
        batch: &[AppendTransaction],
    ) -> Result<(Vec<Verdict>, Position), sqlx::Error> {
        let mut transaction = self.database.writer().begin_with(BEGIN).await?;
        let judgement = judge(batch, known::of_batch(&mut transaction, batch).await?);
        let now = clock::read(&self.clock);
        insert_events(&mut transaction, &judgement.accepted, now).await?;
        insert_commands(&mut transaction, &judgement.accepted).await?;
        let committed =
            judgement.accepted.iter().flat_map(|accepted| &accepted.transaction.intents);
        intents::change(&mut transaction, &IntentChanges::of(committed), now).await?;
        transaction.commit().await?;
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

struct EventRow<'a> {
    position: Position,
    version: Version,
    id: Uuid,
    event: &'a NewEvent,
    metadata: Arc<str>,
    recorded_at: i64,
}

async fn insert_events(
    connection: &mut SqliteConnection,
    accepted: &[Accepted<'_>],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let recorded_at = now.timestamp_micros();
    let mut rows =
        Vec::with_capacity(accepted.iter().map(|accepted| accepted.versions.len()).sum());
    for Accepted { transaction, after, versions, .. } in accepted {
        if transaction.events.is_empty() {
            continue;
        }
        let metadata = serde_json::to_string(&transaction.metadata);
        let metadata: Arc<str> =
            metadata.map_err(|error| sqlx::Error::Encode(error.into()))?.into();
        let numbered = (after + 1..).zip(versions).zip(&transaction.events);
        rows.extend(numbered.map(|((position, &version), event)| {
            let (id, metadata) = (event_id::draw(), Arc::clone(&metadata));
            EventRow { position, version, id, event, metadata, recorded_at }
        }));
    }
    INSERT_EVENTS
        .execute(connection, &rows, |query, row| {
            query
                .bind(integer(row.position))
                .bind(Arc::clone(&row.event.stream))
                .bind(integer(row.version))
                .bind(row.id)
                .bind(Arc::clone(&row.event.event_type))
                .bind(row.event.schema_version)
                .bind(row.event.payload.as_str())
                .bind(Arc::clone(&row.metadata))
                .bind(row.recorded_at)
        })
        .await?;
    Ok(())
}

async fn insert_commands(
    connection: &mut SqliteConnection,
    accepted: &[Accepted<'_>],
) -> Result<(), sqlx::Error> {
    let rows: Vec<(&AppendTransaction, &StoredAnswer)> = accepted
        .iter()
        .filter_map(|accepted| Some((accepted.transaction, accepted.answer.as_ref()?)))
        .collect();
    INSERT_COMMANDS
        .execute(connection, &rows, |query, (transaction, answer)| {
            query
                .bind(Arc::clone(&transaction.command_id))
                .bind(&transaction.request_hash[..])
                .bind(answer.status)
                .bind(answer.body.as_str())
                .bind(integer(answer.version))
                .bind(integer(answer.position))
        })
        .await?;
    Ok(())
}
