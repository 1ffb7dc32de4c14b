//! Whether a master key is the one of a key store. Another one would open nothing, and what it seals the right one would
//! not open.
//!
//! **Invariant:** a store that was used once takes one master key for ever; a wrong one changes nothing in it.

use aws_lc_rs::error::Unspecified;

use crate::error::StoreError;

use super::contract::{KeyStore, MasterCheck};
use super::master::MasterKey;

/// Why the key store can't be used with this master key.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The people's keys were wrapped by another.
    #[error("this is not the master key that wrapped the keys in the key store")]
    WrongMasterKey,
    /// The cipher failed.
    #[error("the cipher failed")]
    Cipher,
    /// The key store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MasterKey {
    /// Whether this is the key of the store; one that was not used yet is bound to it. To be called before anything is
    /// sealed or opened.
    pub async fn bind(&self, store: &dyn KeyStore) -> Result<(), CheckError> {
        if self.is_checked_by(store).await? {
            return Ok(());
        }
        let candidate = self.seal_check().map_err(|Unspecified| CheckError::Cipher)?;
        // Another process may have been first, with another key.
        self.fits(&store.keep_master_check(candidate).await?)
    }

    /// Whether this is the key of the store, as far as that can be told by looking only: one without a check and
    /// without keys takes any.
    pub async fn check(&self, store: &dyn KeyStore) -> Result<(), CheckError> {
        self.is_checked_by(store).await.map(|_| ())
    }

    /// False when the store has no check yet, and nothing speaks against this key.
    async fn is_checked_by(&self, store: &dyn KeyStore) -> Result<bool, CheckError> {
        if let Some(check) = store.master_check().await? {
            return self.fits(&check).map(|()| true);
        }
        // Stores were made without a check before: a person's key tells as well.
        match store.any_key().await? {
            Some((person, key)) if self.unwrap_key(&person, &key).is_none() => {
                Err(CheckError::WrongMasterKey)
            }
            Some(_) | None => Ok(false),
        }
    }

    fn fits(&self, check: &MasterCheck) -> Result<(), CheckError> {
        if self.opens_check(check) { Ok(()) } else { Err(CheckError::WrongMasterKey) }
    }
}

/// Whether a store was used already: it belongs to one master key.
pub async fn is_bound(store: &dyn KeyStore) -> Result<bool, StoreError> {
    Ok(store.master_check().await?.is_some() || store.any_key().await?.is_some())
}
