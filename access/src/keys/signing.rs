//! A key to sign with, and which of the public ones goes with it.

use std::path::Path;

use jsonwebtoken::crypto::{sign, verify};
use jsonwebtoken::{Algorithm, EncodingKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::key_set::KeySet;
use crate::settings::SettingsError;

/// What is signed to find out whether two keys are a pair.
const PROBE: &[u8] = b"docket";

/// Half of a pair.
pub(crate) struct SigningKey {
    pub(crate) key: EncodingKey,
    /// `kid` of the other half, if it has one.
    pub(crate) id: Option<String>,
}

impl SigningKey {
    /// The Ed25519 key in `path` (PEM, PKCS#8), whose other half is in the key set of `public`.
    ///
    /// # Errors
    /// When either can't be read, and when nobody who has the key set would take what the key signs.
    pub(crate) fn read(path: &Path, public: &Path) -> Result<Self, SettingsError> {
        let wrong = |told: &str| SettingsError::Wrong(format!("{} {told}", path.display()));
        let key = PrivatePkcs8KeyDer::from_pem_slice(&bytes(path)?)
            .map_err(|_| wrong("holds no private key (PEM, PKCS#8)"))?;
        let key = EncodingKey::from_ed_der(key.secret_pkcs8_der());
        let signature = sign(PROBE, &key, Algorithm::EdDSA)
            .map_err(|_| wrong("holds a key that is none of Ed25519"))?;
        let set = KeySet::parse(&bytes(public)?)
            .map_err(|error| SettingsError::Wrong(format!("{}: {error}", public.display())))?;
        let fits = |key: &_| verify(&signature, PROBE, key, Algorithm::EdDSA).unwrap_or(false);
        let Some(other_half) = set.find(fits) else {
            return Err(wrong(&format!("signs what no key in {} verifies", public.display())));
        };
        Ok(Self { key, id: other_half.id.clone() })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })
}
