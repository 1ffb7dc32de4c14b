//! Erasing a person: the event first, then the key. What was cut off between the two, by a crash or by a key store that
//! failed, is finished at the next start and again and again while it runs.
//!
//! **Invariant:** a person whose erasure is in the log has no key, or an open intent says that it must still be
//! destroyed; nobody is told that they are erased before the key is gone. How far the log was looked through for that is
//! noted in the key store, so that one put back from a backup is noticed.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::orders::OrderEvent;
use event_store::keys::Vault;
use event_store::{EventLog, Intent, Mark, Metadata, StoreError};
use serde::{Deserialize, Serialize};
use service_kit::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::erasure_replay::{end_of, replay_erasures};
use crate::processor::{Answer, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;
use crate::side_effects::SideEffect;

/// What the id of the append that ends an erasure has after that of the erasing command.
const ERASED: &str = "/erased";

/// An erasure whose key may not be destroyed yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenErasure {
    /// The name that the key goes by.
    person: String,
    /// The command that erased them: asked again when the key is gone, it finds everything so and ends the intent.
    command: Command,
}

/// People whose key may not be destroyed yet, though their erasure is in the log.
pub async fn open_erasures(log: &dyn EventLog) -> Result<Vec<String>, StoreError> {
    let open = log.open_intents().await?;
    let person = |intent: Intent| match serde_json::from_str(&intent.payload) {
        Ok(SideEffect::Erasure(open)) => Some(open.person),
        Ok(SideEffect::Payment(_) | SideEffect::Watch(_)) | Err(_) => None,
    };
    Ok(open.into_iter().filter_map(person).collect())
}

/// The erasure that an event begins.
pub(crate) fn begun(event: &Event, command: &Command) -> Option<OpenErasure> {
    let person = match event {
        Event::Customer(CustomerEvent::CustomerErased(_))
        | Event::Order(OrderEvent::OrderErased(_)) => event.stream().to_string(),
        _ => return None,
    };
    Some(OpenErasure { person, command: command.clone() })
}

/// The intent that this command ends, if it is the end of an erasure.
pub(crate) fn ended<'c>(command: &Command, command_id: &'c str) -> Option<&'c str> {
    match command {
        Command::EraseCustomer(_) | Command::EraseOrder(_) => command_id.strip_suffix(ERASED),
        _ => None,
    }
}

/// How often open erasures are looked for.
const EVERY: Duration = Duration::from_secs(30);
/// How soon again after the first failure; doubles with each.
const AGAIN: Duration = Duration::from_secs(1);

/// The wait before the next round, after so many rounds in a row that failed.
fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => EVERY,
        Some(before) => AGAIN.saturating_mul(1 << before.min(16)).min(EVERY),
    }
}

/// Destroys keys and ends the intents to do so.
#[derive(Clone)]
pub(crate) struct Eraser {
    vault: Arc<Vault>,
    processor: ProcessorHandle,
    hasher: RequestHasher,
    clock: Clock,
}

impl Eraser {
    pub(crate) fn new(
        vault: Arc<Vault>,
        processor: ProcessorHandle,
        hasher: RequestHasher,
        clock: Clock,
    ) -> Self {
        Self { vault, processor, hasher, clock }
    }

    /// Destroys the person's key after the erasing command `id`; again is harmless.
    pub(crate) async fn finish(
        &self,
        id: &str,
        person: &str,
        command: Command,
    ) -> Result<(), StoreError> {
        self.vault.erase(person, (self.clock)()).await?;
        // The key is gone: if this append fails, the next round finds the intent and destroys nothing once more.
        if let Err(error) = self.processor.execute(self.end(id, command)).await {
            tracing::warn!(%error, %id, "the end of an erasure is not recorded yet");
        }
        Ok(())
    }

    /// Finishes what is open and notes it, now and every so often; after a failure sooner, and then with longer and longer
    /// waits.
    pub(crate) async fn keep_finishing(self, log: Arc<dyn EventLog>, stop: CancellationToken) {
        let (mut failures, mut noted) = (0, None);
        loop {
            let finished = tokio::select! {
                () = stop.cancelled() => return,
                finished = self.finish_and_note(&*log, &mut noted) => finished,
            };
            failures = if finished { 0 } else { failures + 1 };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait_after(failures)) => {}
            }
        }
    }

    /// True when nothing is left to be done.
    async fn finish_and_note(&self, log: &dyn EventLog, noted: &mut Option<Mark>) -> bool {
        let to = match end_of(log).await {
            Ok(to) => to,
            Err(error) => {
                tracing::error!(%error, "the log can't be read for erasures; tried again soon");
                return false;
            }
        };
        // Read after the end of the log: whatever was erased up to there is among the open ones, or its key is gone.
        if !self.finish_open(log).await {
            return false;
        }
        match self.note(log, noted.take(), to).await {
            Ok(now) => {
                *noted = Some(now);
                true
            }
            Err(error) => {
                tracing::error!(%error, "how far erasures are applied can't be noted; tried again soon");
                false
            }
        }
    }

    /// Notes that everyone erased up to `to` has no key. A key store that says something else than was noted last was put
    /// back from a backup: what happened since is applied again.
    async fn note(
        &self,
        log: &dyn EventLog,
        noted: Option<Mark>,
        to: Mark,
    ) -> Result<Mark, StoreError> {
        let stands = self.vault.erasures_applied().await?;
        if noted.is_none() || stands != noted || noted.as_ref().is_some_and(|at| at.log != to.log) {
            return replay_erasures(log, &self.vault).await;
        }
        if stands.as_ref() != Some(&to)
            && !self.vault.note_erasures_applied(noted.as_ref(), &to).await?
        {
            return replay_erasures(log, &self.vault).await;
        }
        Ok(to)
    }

    /// True when nothing is left to be done.
    async fn finish_open(&self, log: &dyn EventLog) -> bool {
        let open = match log.open_intents().await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(%error, "open erasures could not be read; tried again soon");
                return false;
            }
        };
        let mut finished = true;
        for intent in open {
            let Ok(SideEffect::Erasure(open)) = serde_json::from_str(&intent.payload) else {
                continue;
            };
            if let Err(error) = self.finish(&intent.id, &open.person, open.command).await {
                tracing::error!(%error, id = %intent.id, "a key could not be destroyed; tried again soon");
                finished = false;
            }
        }
        finished
    }

    fn end(&self, id: &str, command: Command) -> Request {
        let command_id: Arc<str> = format!("{id}{ERASED}").into();
        Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[command_id.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: "erasure".into(),
                correlation_id: id.into(),
                causation_id: Some(id.into()),
                traceparent: None,
                occurred_at: (self.clock)(),
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect: WithoutEffect::Answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use domain::customers::{EraseCustomer, RegisterCustomer};
    use domain::ids::CustomerId;
    use event_store::keys::memory::MemoryKeys;
    use event_store::keys::{
        DataKey, KeyError, KeyState, KeyStore, MasterCheck, MasterKey, Tombstone,
    };
    use event_store::memory::MemoryLog;
    use futures::future::BoxFuture;
    use service_kit::clock::system;

    use super::*;
    use crate::processor::{Processor, ProcessorSettings};

    /// Keys that can't be destroyed the first few times.
    struct Stubborn {
        keys: MemoryKeys,
        fails: AtomicU32,
    }

    impl KeyStore for Stubborn {
        fn get_or_insert<'a>(
            &'a self,
            person: &'a str,
            candidate: DataKey,
        ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
            self.keys.get_or_insert(person, candidate)
        }

        fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>> {
            self.keys.find(person)
        }

        fn erase<'a>(
            &'a self,
            person: &'a str,
            at: chrono::DateTime<chrono::Utc>,
        ) -> BoxFuture<'a, Result<(), StoreError>> {
            let left = |left: u32| left.checked_sub(1);
            if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
                return Box::pin(async { Err(StoreError::new("erase", "the disk is away")) });
            }
            self.keys.erase(person, at)
        }

        fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
            self.keys.tombstones()
        }

        fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>> {
            self.keys.any_key()
        }

        fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>> {
            self.keys.erasures_applied()
        }

        fn note_erasures_applied<'a>(
            &'a self,
            from: Option<&'a Mark>,
            to: &'a Mark,
        ) -> BoxFuture<'a, Result<bool, StoreError>> {
            self.keys.note_erasures_applied(from, to)
        }

        fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>> {
            self.keys.master_check()
        }

        fn keep_master_check(
            &self,
            candidate: MasterCheck,
        ) -> BoxFuture<'_, Result<MasterCheck, StoreError>> {
            self.keys.keep_master_check(candidate)
        }
    }

    #[test]
    fn the_wait_doubles_with_every_failure_up_to_the_usual_one() {
        let waits: Vec<u64> = (0..8).map(|failures| wait_after(failures).as_secs()).collect();
        assert_eq!(waits, [30, 1, 2, 4, 8, 16, 30, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_could_not_be_destroyed_is_destroyed_while_the_service_runs() {
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
        let settings = ProcessorSettings::default();
        let processor = Processor::start(Arc::clone(&log), system(), settings, Vec::new());
        let keys = Arc::new(Stubborn { keys: MemoryKeys::new(), fails: AtomicU32::new(3) });
        let store = Arc::clone(&keys) as Arc<dyn KeyStore>;
        let vault = Arc::new(Vault::new(store, MasterKey::from_bytes([7; 32])));
        vault.seal("customer-c1", b"Ada").await.unwrap();
        let hasher = RequestHasher::new(b"test");
        let eraser = Eraser::new(vault, processor.handle(), hasher, system());
        let customer_id = CustomerId::parse("c1").unwrap();
        let register = RegisterCustomer {
            customer_id: customer_id.clone(),
            name: None,
            email: None,
            phone: None,
        };
        for (id, command) in [("r", register.into()), ("e", EraseCustomer { customer_id }.into())] {
            // What stands in the log when the process dies right after the commit.
            let mut request = eraser.end(id, command);
            request.command_id = id.into();
            let metadata = Metadata { command_id: id.into(), ..(*request.metadata).clone() };
            request.metadata = Arc::new(metadata);
            processor.handle().execute(request).await.unwrap();
        }
        assert_eq!(log.open_intents().await.unwrap().len(), 1);
        let stop = CancellationToken::new();
        let begun = tokio::time::Instant::now();
        let task = tokio::spawn(eraser.keep_finishing(Arc::clone(&log), stop.clone()));
        let mut head = log.head();
        loop {
            let noted = keys.erasures_applied().await.unwrap();
            if log.open_intents().await.unwrap().is_empty() {
                break;
            }
            assert_eq!(noted, None, "a key is still there");
            tokio::time::timeout(Duration::from_secs(1), head.changed()).await.ok();
        }
        assert_eq!(keys.tombstones().await.unwrap().len(), 1);
        assert!(begun.elapsed() >= Duration::from_secs(1 + 2 + 4), "{:?}", begun.elapsed());
        stop.cancel();
        task.await.unwrap();
    }
    #[tokio::test]
    async fn keys_put_back_under_a_running_service_are_destroyed_again() {
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
        let settings = ProcessorSettings::default();
        let processor = Processor::start(Arc::clone(&log), system(), settings, Vec::new());
        let keys = Arc::new(MemoryKeys::new());
        let store = Arc::clone(&keys) as Arc<dyn KeyStore>;
        let vault = Arc::new(Vault::new(store, MasterKey::from_bytes([7; 32])));
        let eraser = Eraser::new(
            Arc::clone(&vault),
            processor.handle(),
            RequestHasher::new(b"test"),
            system(),
        );
        let customer_id = CustomerId::parse("c1").unwrap();
        let (name, email, phone) = (None, None, None);
        let register = RegisterCustomer { customer_id: customer_id.clone(), name, email, phone };
        processor.handle().execute(eraser.end("r", register.into())).await.unwrap();
        let backup = end_of(&*log).await.unwrap();
        processor
            .handle()
            .execute(eraser.end("e", EraseCustomer { customer_id }.into()))
            .await
            .unwrap();
        let noted = end_of(&*log).await.unwrap();
        // What the backup holds: the key, and the mark from before the erasure.
        vault.seal("customer-c1", b"Ada").await.unwrap();
        keys.note_erasures_applied(None, &backup).await.unwrap();
        let now = eraser.note(&*log, Some(noted.clone()), noted.clone()).await.unwrap();
        assert_eq!(now, noted);
        assert!(matches!(keys.find("customer-c1").await.unwrap(), KeyState::Erased { .. }));
        assert_eq!(keys.erasures_applied().await.unwrap(), Some(noted));
    }
}
