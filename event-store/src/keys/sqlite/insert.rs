//! New keys, one commit for all that wait: a key is on disk before anything is sealed with it, and a commit costs the
//! same for one key as for a hundred.

use std::collections::HashMap;

use sqlx::SqlitePool;
use storage::BulkStatement;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::keys::contract::{DataKey, KeyError, KeyState};

use super::find::KeyRow;

const BEGIN: &str = "BEGIN IMMEDIATE";

static INSERT: BulkStatement =
    BulkStatement::new("INSERT INTO keys (person, wrapped)", 2, "ON CONFLICT (person) DO NOTHING");

const FIND_MANY: &str = "SELECT person, wrapped, erased_at
    FROM json_each($1) AS asked CROSS JOIN keys ON person = asked.value";

/// Keys that wait for a commit; more callers wait for a place.
const QUEUE: usize = 256;

const OPERATION: &str = "insert a key";

/// Hands new keys to the one task that inserts them.
pub(super) struct Inserter {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    person: String,
    candidate: DataKey,
    answer: oneshot::Sender<Result<DataKey, KeyError>>,
}

impl Inserter {
    /// Starts the task. It ends when the inserter is dropped.
    pub(super) fn start(writer: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(keep_inserting(writer, waiting));
        Self { queue }
    }

    /// Inserts the candidate if there is neither key nor tombstone, and answers what is there afterwards.
    pub(super) async fn insert(
        &self,
        person: &str,
        candidate: DataKey,
    ) -> Result<DataKey, KeyError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { person: person.to_owned(), candidate, answer };
        let queued = self.queue.send(waiting).await;
        queued.map_err(|_| StoreError::new(OPERATION, "the store was closed"))?;
        answered.await.map_err(|error| StoreError::new(OPERATION, error))?
    }
}

async fn keep_inserting(writer: SqlitePool, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, QUEUE).await > 0 {
        let batch = std::mem::take(&mut waiting);
        match insert(&writer, &batch).await {
            Ok(found) => {
                for Waiting { person, answer, .. } in batch {
                    // The caller may have gone away; its key stays.
                    let _ = answer.send(outcome(found.get(&person)));
                }
            }
            Err(error) => {
                let error = error.to_string();
                for Waiting { answer, .. } in batch {
                    let _ = answer.send(Err(StoreError::new(OPERATION, error.as_str()).into()));
                }
            }
        }
    }
}

async fn insert(
    writer: &SqlitePool,
    batch: &[Waiting],
) -> Result<HashMap<String, KeyState>, sqlx::Error> {
    let people: Vec<&str> = batch.iter().map(|waiting| waiting.person.as_str()).collect();
    let people =
        serde_json::to_string(&people).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let mut transaction = writer.begin_with(BEGIN).await?;
    INSERT
        .execute(&mut transaction, batch, |query, waiting| {
            query.bind(waiting.person.as_str()).bind(waiting.candidate.wrapped.as_slice())
        })
        .await?;
    let rows = sqlx::query(FIND_MANY).bind(people).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    let found = rows.iter().map(|row| {
        let row = KeyRow::try_from(row)?;
        Ok((row.person.clone(), row.try_into()?))
    });
    found.collect()
}

fn outcome(found: Option<&KeyState>) -> Result<DataKey, KeyError> {
    match found {
        Some(KeyState::Present(key)) => Ok(key.clone()),
        Some(KeyState::Erased { .. }) => Err(KeyError::Erased),
        Some(KeyState::Absent) | None => {
            Err(StoreError::new(OPERATION, "the key is gone right after its insert").into())
        }
    }
}
