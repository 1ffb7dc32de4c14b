//! New keys, one commit for all that wait: a key is on disk before anything is sealed with it, and a commit costs the
//! same for one key as for a hundred.

use std::collections::HashMap;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::keys::contract::{DataKey, KeyError, KeyState};

/// Keys that wait for a commit; more callers wait for a place.
const QUEUE: usize = 256;

const OPERATION: &str = "insert a key";

/// Where keys are inserted.
pub(super) trait KeyTable: Send + Sync + 'static {
    /// Inserts each of these keys unless its person has a key or a tombstone, with one commit; answers what there is
    /// afterwards for each person.
    fn insert<'a>(
        &'a self,
        keys: &'a [(String, DataKey)],
    ) -> BoxFuture<'a, Result<HashMap<String, KeyState>, sqlx::Error>>;
}

/// Hands new keys to the one task that inserts them.
pub(super) struct Inserter {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    key: (String, DataKey),
    answer: oneshot::Sender<Result<DataKey, KeyError>>,
}

impl Inserter {
    /// Starts the task. It ends when the inserter is dropped.
    pub(super) fn start(table: impl KeyTable) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(keep_inserting(table, waiting));
        Self { queue }
    }

    /// Inserts the candidate if there is neither key nor tombstone, and answers what is there afterwards.
    pub(super) async fn insert(
        &self,
        person: &str,
        candidate: DataKey,
    ) -> Result<DataKey, KeyError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { key: (person.to_owned(), candidate), answer };
        let queued = self.queue.send(waiting).await;
        queued.map_err(|_| StoreError::new(OPERATION, "the store was closed"))?;
        answered.await.map_err(|error| StoreError::new(OPERATION, error))?
    }
}

async fn keep_inserting(table: impl KeyTable, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, QUEUE).await > 0 {
        let (keys, answers): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|waiting| (waiting.key, waiting.answer)).unzip();
        match table.insert(&keys).await {
            Ok(found) => {
                for ((person, _), answer) in keys.iter().zip(answers) {
                    // The caller may have gone away; its key stays.
                    let _ = answer.send(outcome(found.get(person)));
                }
            }
            Err(error) => {
                let error = error.to_string();
                for answer in answers {
                    let _ = answer.send(Err(StoreError::new(OPERATION, error.as_str()).into()));
                }
            }
        }
    }
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
