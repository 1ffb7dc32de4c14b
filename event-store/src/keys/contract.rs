//! The contract of a key store.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use crate::error::StoreError;
use crate::types::Mark;

/// A person's key, wrapped by the master key: useless without it.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    /// Ciphertext of the 32-byte key, with its nonce.
    pub wrapped: Vec<u8>,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// A known text, sealed by the master key: another key does not open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterCheck {
    /// Ciphertext, with its nonce.
    pub sealed: Vec<u8>,
}

/// What is known of a person's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// Nobody has sealed anything for this person.
    Absent,
    /// The key.
    Present(DataKey),
    /// The key was destroyed; nothing is sealed for this person again.
    Erased {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Who was erased, and when.
pub type Tombstone = (String, DateTime<Utc>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The person was erased.
    #[error("this person's data was erased")]
    Erased,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where keys are kept, apart from the log and from its backups.
pub trait KeyStore: Send + Sync + 'static {
    /// The key of this person: `candidate` if there is none yet, else the one there is. On disk when it returns.
    fn get_or_insert<'a>(
        &'a self,
        person: &'a str,
        candidate: DataKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>>;

    /// What is known of this person's key.
    fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>>;

    /// Destroys the key and leaves a tombstone; again is harmless. The key's bytes are off the disk when it returns.
    fn erase<'a>(
        &'a self,
        person: &'a str,
        at: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Everyone who was erased, to be replayed after a restore.
    fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>>;

    /// The key of anyone who has one; `None` while nobody does.
    fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>>;

    /// What tells the master key of this store from any other; `None` until it was kept.
    fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>>;

    /// Keeps this check unless there is one, for good; answers the one there is then. On disk when it returns.
    fn keep_master_check(
        &self,
        candidate: MasterCheck,
    ) -> BoxFuture<'_, Result<MasterCheck, StoreError>>;

    /// How far a log was read for erasures; `None` until it was noted. Every person erased up to there has no key here.
    fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>>;

    /// Notes that the log was read up to `to`, if what is noted is still `from`; false when it is not, as in a store that
    /// was put back from a backup meanwhile.
    fn note_erasures_applied<'a>(
        &'a self,
        from: Option<&'a Mark>,
        to: &'a Mark,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}
