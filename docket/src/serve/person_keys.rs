//! People's keys, asked from the command-service: wrapped by the master key, so that the way between is told nothing.
//!
//! **Invariant:** whoever asks only opens. Keys are made and destroyed where they are kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use event_store::keys::{DataKey, KeyError, KeyState, KeyStore, MasterCheck, Tombstone};
use event_store::{Mark, StoreError};
use futures::future::BoxFuture;
use messaging::jetstream::{self, AskError, Names};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What is asked of a person.
const SERVICE: &str = "person-key";
/// What is asked of the master key.
const CHECK: &str = "master-key-check";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long nobody may be there before whoever asks is told so at once: the four seconds of a lease, and a start.
const TAKEOVER_WITHIN: Duration = Duration::from_secs(8);
/// How long to wait before they are asked again until then.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How long an answer may take of somebody who has not answered for longer.
const AWAY_PATIENCE: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Question {
    person: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Absent,
    Present { wrapped: String },
    Erased { at: DateTime<Utc> },
}

/// What tells the master key of the store from any other.
#[derive(Serialize, Deserialize)]
struct CheckQuestion {}

#[derive(Serialize, Deserialize)]
struct CheckAnswer {
    sealed: Option<String>,
}

/// Answers from this store until it is stopped.
pub(super) async fn serve(
    client: Client,
    names: Names,
    keys: Arc<dyn KeyStore>,
    stop: CancellationToken,
) {
    let checks = serve_checks(client.clone(), names.clone(), Arc::clone(&keys), stop.clone());
    let keys = serve_keys(client, names, keys, stop);
    futures::join!(checks, keys);
}

async fn serve_checks(
    client: Client,
    names: Names,
    keys: Arc<dyn KeyStore>,
    stop: CancellationToken,
) {
    let answer = move |_: CheckQuestion| -> BoxFuture<'static, Result<CheckAnswer, String>> {
        let keys = Arc::clone(&keys);
        Box::pin(async move {
            match keys.master_check().await {
                Ok(check) => {
                    Ok(CheckAnswer { sealed: check.map(|check| BASE64.encode(check.sealed)) })
                }
                Err(error) => {
                    tracing::warn!(%error, "the master key's check can't be read");
                    Err("the key store can't be read now".to_owned())
                }
            }
        })
    };
    jetstream::serve(client, names, CHECK, answer, stop).await;
}

async fn serve_keys(
    client: Client,
    names: Names,
    keys: Arc<dyn KeyStore>,
    stop: CancellationToken,
) {
    let answer = move |question: Question| -> BoxFuture<'static, Result<Answer, String>> {
        let keys = Arc::clone(&keys);
        Box::pin(async move {
            match keys.find(&question.person).await {
                Ok(KeyState::Absent) => Ok(Answer::Absent),
                Ok(KeyState::Present(key)) => {
                    Ok(Answer::Present { wrapped: BASE64.encode(key.wrapped) })
                }
                Ok(KeyState::Erased { at }) => Ok(Answer::Erased { at }),
                Err(error) => {
                    tracing::warn!(%error, "a person's key can't be read");
                    Err("the key store can't be read now".to_owned())
                }
            }
        })
    };
    jetstream::serve(client, names, SERVICE, answer, stop).await;
}

/// The keys of the command-service, as another process sees them.
pub(super) struct AskedKeys {
    client: Client,
    names: Names,
    away: Mutex<Option<Away>>,
}

/// Nobody answers.
struct Away {
    since: Instant,
    /// When somebody asked in vain last: what was longer ago says nothing of now.
    asked: Instant,
}

/// Keys are made and destroyed elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("this process only opens what others have sealed")]
struct OnlyOpens;

/// A wrapped key that is no text of one.
#[derive(Debug, thiserror::Error)]
#[error("the answer holds no key")]
struct NoKey(#[source] base64::DecodeError);

impl AskedKeys {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names, away: Mutex::default() }
    }

    async fn ask(&self, person: &str) -> Result<KeyState, StoreError> {
        let question = Question { person: person.to_owned() };
        let asked = self.answer(SERVICE, &question).await;
        let failed = |error: AskError| StoreError::new("ask for a person's key", error);
        Ok(match asked.map_err(failed)? {
            Answer::Absent => KeyState::Absent,
            Answer::Erased { at } => KeyState::Erased { at },
            Answer::Present { wrapped } => {
                let wrapped = BASE64.decode(wrapped).map_err(NoKey);
                let failed = |error| StoreError::new("ask for a person's key", error);
                KeyState::Present(DataKey { wrapped: wrapped.map_err(failed)? })
            }
        })
    }
}

impl AskedKeys {
    /// The first answer. While another process takes over it is waited for; nobody waits once that should be done.
    async fn answer<Q, A>(&self, service: &str, question: &Q) -> Result<A, AskError>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        loop {
            let patience = if self.away_for() < TAKEOVER_WITHIN { PATIENCE } else { AWAY_PATIENCE };
            let asked =
                jetstream::ask(&self.client, &self.names, service, question, patience).await;
            match asked {
                Err(AskError::Nobody | AskError::Silent) => {
                    self.asked_in_vain();
                    if self.away_for() >= TAKEOVER_WITHIN {
                        return asked;
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                // Without NATS it is not known whether anybody is there.
                Err(AskError::Unreachable(_)) => return asked,
                _ => {
                    *self.away() = None;
                    return asked;
                }
            }
        }
    }

    /// For how long nobody has answered, as far as is known.
    fn away_for(&self) -> Duration {
        let away = self.away();
        let away = away.as_ref().filter(|away| away.asked.elapsed() < TAKEOVER_WITHIN);
        away.map_or(Duration::ZERO, |away| away.since.elapsed())
    }

    fn asked_in_vain(&self) {
        let since = Instant::now() - self.away_for();
        *self.away() = Some(Away { since, asked: Instant::now() });
    }

    fn away(&self) -> MutexGuard<'_, Option<Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_check(&self) -> Result<Option<MasterCheck>, StoreError> {
        let asked = self.answer(CHECK, &CheckQuestion {}).await;
        let failed = |error: AskError| StoreError::new("ask for the master key's check", error);
        let CheckAnswer { sealed } = asked.map_err(failed)?;
        let sealed = sealed.map(|sealed| BASE64.decode(sealed).map_err(NoKey)).transpose();
        let failed = |error| StoreError::new("ask for the master key's check", error);
        Ok(sealed.map_err(failed)?.map(|sealed| MasterCheck { sealed }))
    }
}

fn only_opens(operation: &'static str) -> StoreError {
    StoreError::new(operation, OnlyOpens)
}

impl KeyStore for AskedKeys {
    fn get_or_insert<'a>(
        &'a self,
        _person: &'a str,
        _candidate: DataKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async { Err(only_opens("make a key").into()) })
    }

    fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>> {
        Box::pin(self.ask(person))
    }

    fn erase<'a>(
        &'a self,
        _person: &'a str,
        _at: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Err(only_opens("destroy a key")) })
    }

    fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        Box::pin(async { Err(only_opens("list erasures")) })
    }
    fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>> {
        Box::pin(async { Err(only_opens("find any key")) })
    }

    fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>> {
        Box::pin(self.ask_check())
    }

    fn keep_master_check(
        &self,
        _candidate: MasterCheck,
    ) -> BoxFuture<'_, Result<MasterCheck, StoreError>> {
        Box::pin(async { Err(only_opens("keep the master key's check")) })
    }

    fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>> {
        Box::pin(async { Err(only_opens("read the erasures' mark")) })
    }

    fn note_erasures_applied<'a>(
        &'a self,
        _from: Option<&'a Mark>,
        _to: &'a Mark,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Err(only_opens("note the erasures' mark")) })
    }
}
