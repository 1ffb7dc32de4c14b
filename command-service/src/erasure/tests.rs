//! Erasures that were cut off, and keys that come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::customers::{EraseCustomer, RegisterCustomer};
use domain::ids::CustomerId;
use event_store::keys::memory::MemoryKeys;
use event_store::keys::{
    DataKey, KeyError, KeyState, KeyStore, MasterCheck, MasterKey, Tombstone, Vault,
};
use event_store::memory::MemoryLog;
use event_store::{EventLog, Mark, Metadata, StoreError};
use futures::future::BoxFuture;
use service_kit::clock::system;
use tokio_util::sync::CancellationToken;

use super::eraser::{Eraser, wait_after};
use super::replay::end_of;
use crate::processor::{Processor, ProcessorSettings};
use crate::request_hash::RequestHasher;

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
    let register =
        RegisterCustomer { customer_id: customer_id.clone(), name: None, email: None, phone: None };
    for (id, command) in
        [("r", register.into()), ("e", EraseCustomer { customer_id, reason: None }.into())]
    {
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
    let eraser =
        Eraser::new(Arc::clone(&vault), processor.handle(), RequestHasher::new(b"test"), system());
    let customer_id = CustomerId::parse("c1").unwrap();
    let (name, email, phone) = (None, None, None);
    let register = RegisterCustomer { customer_id: customer_id.clone(), name, email, phone };
    processor.handle().execute(eraser.end("r", register.into())).await.unwrap();
    let backup = end_of(&*log).await.unwrap();
    processor
        .handle()
        .execute(eraser.end("e", EraseCustomer { customer_id, reason: None }.into()))
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
