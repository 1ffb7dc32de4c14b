//! Sealing and opening personal data. Knows whose data it is, not what it is.
//!
//! **Invariant:** bytes are sealed only with a key that is on disk, and a sealed text opens only for its own person.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::types::Mark;

use super::cache::KeyCache;
use super::check::CheckError;
use super::contract::{DataKey, KeyError, KeyState, KeyStore};
use super::master::{self, KEY_BYTES, MasterKey};

/// The first byte of what is sealed. Another way of sealing gets another number.
const FORMAT: u8 = 1;

/// What was sealed, and whose key seals it. Safe to keep anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The person.
    pub person: String,
    /// Ciphertext, base64.
    pub sealed: String,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The person was erased; nothing is sealed for them again.
    #[error("this person's data was erased")]
    Erased,
    /// The person's key is wrapped by another master key, or damaged.
    #[error("the master key does not open this person's key")]
    WrongMasterKey,
    /// The cipher failed.
    #[error("the cipher failed")]
    Cipher,
    /// The key store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing was opened, though the person was not erased.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No key of this person is known, nor that they were erased: the key store is not the one that sealed this.
    #[error("there is no key for this person")]
    NoKey,
    /// The person's key is wrapped by another master key, or damaged.
    #[error("the master key does not open this person's key")]
    WrongMasterKey,
    /// Not what the vault sealed for this person.
    #[error("the sealed text is damaged, or another person's")]
    Damaged,
    /// The key store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Seals and opens with the keys of a store, each wrapped by the master key.
pub struct Vault {
    store: Arc<dyn KeyStore>,
    master: MasterKey,
    cache: KeyCache,
}

impl Vault {
    /// A vault over this store.
    pub fn new(store: Arc<dyn KeyStore>, master: MasterKey) -> Self {
        Self { store, master, cache: KeyCache::default() }
    }

    /// Seals bytes with the person's key, which is made and on disk first if there is none.
    pub async fn seal(&self, person: &str, clear: &[u8]) -> Result<Sealed, SealError> {
        let key = self.sealing_key(person).await?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + clear.len() + MAX_TAG_LEN);
        let mut bytes = clear.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(person.as_bytes()), &mut bytes);
        sealed.push(FORMAT);
        sealed.extend_from_slice(nonce.map_err(|Unspecified| SealError::Cipher)?.as_ref());
        sealed.append(&mut bytes);
        Ok(Sealed { person: person.to_owned(), sealed: BASE64.encode(sealed) })
    }

    /// Opens what was sealed for this person; `None` when they were erased since.
    pub async fn open(&self, person: &str, sealed: &str) -> Result<Option<Vec<u8>>, OpenError> {
        let Some(key) = self.opening_key(person).await? else { return Ok(None) };
        open_with(&key, person, sealed).map(Some).ok_or(OpenError::Damaged)
    }

    /// Destroys the person's key; again is harmless. What was sealed for them opens nowhere any more.
    pub async fn erase(&self, person: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let erased = self.store.erase(person, at).await;
        // Also after a failure, which may have happened after the commit.
        self.cache.forget(person);
        erased
    }

    /// Holds the person's key no longer: it was destroyed elsewhere.
    pub fn forget(&self, person: &str) {
        self.cache.forget(person);
    }

    /// Destroys the person's key like [`erase`](Self::erase), unless that was done; true when it was not.
    pub async fn erase_again(&self, person: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        if let KeyState::Erased { .. } = self.store.find(person).await? {
            return Ok(false);
        }
        self.erase(person, at).await.map(|()| true)
    }

    /// How far a log was read for erasures.
    pub async fn erasures_applied(&self) -> Result<Option<Mark>, StoreError> {
        self.store.erasures_applied().await
    }

    /// Notes how far; false when what is noted is not `from` any more.
    pub async fn note_erasures_applied(
        &self,
        from: Option<&Mark>,
        to: &Mark,
    ) -> Result<bool, StoreError> {
        self.store.note_erasures_applied(from, to).await
    }

    /// Whether the store's keys are wrapped by this vault's master key.
    pub async fn check_master(&self) -> Result<(), CheckError> {
        self.master.check(&*self.store).await
    }

    async fn sealing_key(&self, person: &str) -> Result<Arc<RandomizedNonceKey>, SealError> {
        if let Some(key) = self.cache.get(person) {
            return Ok(key);
        }
        let reading = self.cache.begin_reading();
        let candidate =
            self.master.wrap_new_key(person).map_err(|Unspecified| SealError::Cipher)?;
        let wrapped =
            self.store.get_or_insert(person, candidate).await.map_err(|error| match error {
                KeyError::Erased => SealError::Erased,
                KeyError::Store(error) => SealError::Store(error),
            })?;
        let key = self.unwrap(person, &wrapped).ok_or(SealError::WrongMasterKey)?;
        self.cache.keep(reading, person, &key);
        Ok(key)
    }

    async fn opening_key(
        &self,
        person: &str,
    ) -> Result<Option<Arc<RandomizedNonceKey>>, OpenError> {
        if let Some(key) = self.cache.get(person) {
            return Ok(Some(key));
        }
        let reading = self.cache.begin_reading();
        match self.store.find(person).await? {
            KeyState::Absent => Err(OpenError::NoKey),
            KeyState::Erased { .. } => Ok(None),
            KeyState::Present(wrapped) => {
                let key = self.unwrap(person, &wrapped).ok_or(OpenError::WrongMasterKey)?;
                self.cache.keep(reading, person, &key);
                Ok(Some(key))
            }
        }
    }

    fn unwrap(&self, person: &str, wrapped: &DataKey) -> Option<Arc<RandomizedNonceKey>> {
        let clear: [u8; KEY_BYTES] = self.master.unwrap_key(person, wrapped)?;
        RandomizedNonceKey::new(&AES_256_GCM, &clear).ok().map(Arc::new)
    }
}

fn open_with(key: &RandomizedNonceKey, person: &str, sealed: &str) -> Option<Vec<u8>> {
    let mut sealed = BASE64.decode(sealed).ok()?;
    let (&mut format, rest) = sealed.split_first_mut()?;
    if format != FORMAT {
        return None;
    }
    master::open_after_nonce(key, person.as_bytes(), rest)
}
