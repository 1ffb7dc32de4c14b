//! What every store of keys promises, and the vault over it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use uuid::Uuid;

use crate::keys::{
    self, CheckError, DataKey, KeyError, KeyState, KeyStore, MasterCheck, MasterKey, SealError,
    Vault,
};
use crate::types::{LogIdentity, Mark};

const PERSON: &str = "customer-7";

fn key(byte: u8) -> DataKey {
    DataKey { wrapped: vec![byte; 60] }
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Asking makes no key.
pub async fn nobody_has_a_key_at_first(keys: Arc<dyn KeyStore>) {
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Absent);
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Absent);
    assert_eq!(keys.tombstones().await.unwrap(), []);
}

/// What was sealed with it must open for ever.
pub async fn the_first_key_of_a_person_stays(keys: Arc<dyn KeyStore>) {
    assert_eq!(keys.get_or_insert(PERSON, key(1)).await.unwrap(), key(1));
    assert_eq!(keys.get_or_insert(PERSON, key(2)).await.unwrap(), key(1));
    assert_eq!(keys.get_or_insert("customer-8", key(2)).await.unwrap(), key(2));
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Present(key(1)));
}

/// Whoever is first, all seal with the same key.
pub async fn candidates_at_the_same_time_agree_on_one_key(keys: Arc<dyn KeyStore>) {
    let race = (0..50).map(|byte| keys.get_or_insert(PERSON, key(byte)));
    let given: Vec<DataKey> = join_all(race).await.into_iter().map(Result::unwrap).collect();
    assert!(given.iter().all(|key| *key == given[0]), "two keys for one person");
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Present(given[0].clone()));
}

/// The tombstone refuses sealing for ever.
pub async fn an_erased_person_has_no_key_and_gets_none(keys: Arc<dyn KeyStore>) {
    keys.get_or_insert(PERSON, key(1)).await.unwrap();
    keys.erase(PERSON, time(5)).await.unwrap();
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Erased { at: time(5) });
    let refused = keys.get_or_insert(PERSON, key(2)).await;
    assert!(matches!(refused, Err(KeyError::Erased)), "{refused:?}");
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Erased { at: time(5) });
}

/// Tombstones are replayed into a restored store that may never have known the person.
pub async fn a_person_without_a_key_can_be_erased(keys: Arc<dyn KeyStore>) {
    keys.erase(PERSON, time(5)).await.unwrap();
    let refused = keys.get_or_insert(PERSON, key(1)).await;
    assert!(matches!(refused, Err(KeyError::Erased)), "{refused:?}");
}

/// Erasing again is harmless.
pub async fn the_first_erasure_counts(keys: Arc<dyn KeyStore>) {
    keys.get_or_insert(PERSON, key(1)).await.unwrap();
    keys.erase(PERSON, time(5)).await.unwrap();
    keys.erase(PERSON, time(6)).await.unwrap();
    assert_eq!(keys.find(PERSON).await.unwrap(), KeyState::Erased { at: time(5) });
}

/// Also one whose id begins the same.
pub async fn an_erasure_leaves_others_alone(keys: Arc<dyn KeyStore>) {
    keys.get_or_insert(PERSON, key(1)).await.unwrap();
    keys.get_or_insert("customer-70", key(2)).await.unwrap();
    keys.erase(PERSON, time(5)).await.unwrap();
    assert_eq!(keys.find("customer-70").await.unwrap(), KeyState::Present(key(2)));
}

/// All of them, and nobody else.
pub async fn everyone_erased_has_a_tombstone(keys: Arc<dyn KeyStore>) {
    keys.get_or_insert("customer-1", key(1)).await.unwrap();
    keys.get_or_insert("customer-2", key(2)).await.unwrap();
    keys.erase("customer-2", time(5)).await.unwrap();
    keys.erase("customer-3", time(6)).await.unwrap();
    let mut tombstones = keys.tombstones().await.unwrap();
    tombstones.sort();
    assert_eq!(tombstones, [("customer-2".into(), time(5)), ("customer-3".into(), time(6))]);
}

/// Also through a vault that never held the key in memory.
pub async fn what_is_sealed_opens_again(keys: Arc<dyn KeyStore>) {
    let vault = || Vault::new(Arc::clone(&keys), MasterKey::from_bytes([7; 32]));
    let sealed = vault().seal(PERSON, "Zoë".as_bytes()).await.unwrap();
    assert_eq!(sealed.person, PERSON);
    let opened = vault().open(PERSON, &sealed.sealed).await.unwrap();
    assert_eq!(opened.as_deref(), Some("Zoë".as_bytes()));
}

/// Neither in the vault that held the key in memory, nor in another; nothing is sealed again.
pub async fn what_is_sealed_for_an_erased_person_opens_nowhere(keys: Arc<dyn KeyStore>) {
    let vault = || Vault::new(Arc::clone(&keys), MasterKey::from_bytes([7; 32]));
    let eraser = vault();
    let sealed = eraser.seal(PERSON, b"Zoe").await.unwrap().sealed;
    assert!(eraser.open(PERSON, &sealed).await.unwrap().is_some());
    eraser.erase(PERSON, time(5)).await.unwrap();
    assert_eq!(eraser.open(PERSON, &sealed).await.unwrap(), None);
    assert_eq!(vault().open(PERSON, &sealed).await.unwrap(), None);
    for vault in [eraser, vault()] {
        let refused = vault.seal(PERSON, b"Zoe").await;
        assert!(matches!(refused, Err(SealError::Erased)), "{refused:?}");
    }
}

/// A key's bytes, never a tombstone.
pub async fn any_key_is_the_key_of_somebody_who_has_one(keys: Arc<dyn KeyStore>) {
    assert_eq!(keys.any_key().await.unwrap(), None);
    keys.get_or_insert("customer-1", key(1)).await.unwrap();
    keys.get_or_insert("customer-2", key(2)).await.unwrap();
    keys.erase("customer-1", time(5)).await.unwrap();
    assert_eq!(keys.any_key().await.unwrap(), Some(("customer-2".into(), key(2))));
    keys.erase("customer-2", time(5)).await.unwrap();
    assert_eq!(keys.any_key().await.unwrap(), None);
}

/// Of two processes that begin at once with different keys, one goes on.
pub async fn the_first_check_of_the_master_key_stays(keys: Arc<dyn KeyStore>) {
    let check = |byte| MasterCheck { sealed: vec![byte; 44] };
    assert_eq!(keys.master_check().await.unwrap(), None);
    let race = (0..20).map(|byte| keys.keep_master_check(check(byte)));
    let given: Vec<MasterCheck> = join_all(race).await.into_iter().map(Result::unwrap).collect();
    assert!(given.iter().all(|kept| *kept == given[0]), "two checks");
    assert_eq!(keys.keep_master_check(check(99)).await.unwrap(), given[0]);
    assert_eq!(keys.master_check().await.unwrap(), Some(given[0].clone()));
}

/// Also before anything was ever sealed.
pub async fn another_master_key_is_refused_and_changes_nothing(keys: Arc<dyn KeyStore>) {
    let (right, wrong) = (MasterKey::from_bytes([7; 32]), MasterKey::from_bytes([8; 32]));
    assert!(!keys::is_bound(&*keys).await.unwrap());
    wrong.check(&*keys).await.unwrap();
    assert_eq!(keys.master_check().await.unwrap(), None, "who only looks leaves nothing");
    right.bind(&*keys).await.unwrap();
    assert!(keys::is_bound(&*keys).await.unwrap());
    let kept = keys.master_check().await.unwrap();
    for refused in [wrong.bind(&*keys).await, wrong.check(&*keys).await] {
        assert!(matches!(refused, Err(CheckError::WrongMasterKey)), "{refused:?}");
    }
    assert_eq!(keys.master_check().await.unwrap(), kept);
    right.bind(&*keys).await.unwrap();
    right.check(&*keys).await.unwrap();
}

/// Such stores were made before there was a check: a person's key tells.
pub async fn a_store_with_keys_and_no_check_refuses_another_master_key(keys: Arc<dyn KeyStore>) {
    let vault = Vault::new(Arc::clone(&keys), MasterKey::from_bytes([7; 32]));
    vault.seal(PERSON, b"Zoe").await.unwrap();
    assert!(keys::is_bound(&*keys).await.unwrap());
    let wrong = MasterKey::from_bytes([8; 32]);
    for refused in [wrong.bind(&*keys).await, wrong.check(&*keys).await] {
        assert!(matches!(refused, Err(CheckError::WrongMasterKey)), "{refused:?}");
    }
    assert_eq!(keys.master_check().await.unwrap(), None);
    MasterKey::from_bytes([7; 32]).bind(&*keys).await.unwrap();
    assert!(keys.master_check().await.unwrap().is_some());
}

fn mark(epoch: u32, position: u64) -> Mark {
    let log = LogIdentity { log: "log-1".into(), epoch };
    Mark { log, position, event_id: (position > 0).then(|| Uuid::from_u128(position.into())) }
}

/// Also one of another epoch of the log; then the position may be lower.
pub async fn how_far_erasures_were_applied_is_noted(keys: Arc<dyn KeyStore>) {
    assert_eq!(keys.erasures_applied().await.unwrap(), None);
    let mut from = None;
    for to in [mark(1, 0), mark(1, 7), mark(1, 9), mark(2, 3)] {
        assert!(keys.note_erasures_applied(from.as_ref(), &to).await.unwrap());
        assert_eq!(keys.erasures_applied().await.unwrap(), Some(to.clone()));
        from = Some(to);
    }
}

/// Nothing is passed over in a store that was put back from a backup meanwhile.
pub async fn what_erasures_were_applied_is_noted_only_from_where_it_stands(
    keys: Arc<dyn KeyStore>,
) {
    let note = async |from: Option<&Mark>, to: u64| {
        keys.note_erasures_applied(from, &mark(1, to)).await.unwrap()
    };
    assert!(!note(Some(&mark(1, 4)), 9).await, "nothing was noted yet");
    assert!(note(None, 5).await);
    assert!(!note(None, 9).await);
    let other = Mark { event_id: Some(Uuid::from_u128(99)), ..mark(1, 5) };
    for from in [mark(1, 4), mark(2, 5), other] {
        assert!(!note(Some(&from), 9).await, "{from:?}");
    }
    assert_eq!(keys.erasures_applied().await.unwrap(), Some(mark(1, 5)));
}
