//! The master key: it wraps every person's key, and stands apart from their store.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};

use crate::event_id;

use super::contract::{DataKey, MasterCheck};

/// Bytes of a key, the master's and a person's.
pub(super) const KEY_BYTES: usize = 32;

/// What the check of a key store is sealed for.
const CHECK_PURPOSE: &str = "key store check";
/// What is sealed in it.
const CHECK_TEXT: &[u8] = b"docket key store";

/// Wraps the keys of all people.
pub struct MasterKey {
    bytes: [u8; KEY_BYTES],
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// Draws a new one.
    pub fn generate() -> io::Result<Self> {
        random_key().map(Self::from_bytes).map_err(|Unspecified| io::Error::other("no randomness"))
    }

    /// Takes one that is kept elsewhere.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self { bytes }
    }

    /// Reads the key from its file; makes file and key if there is none. Only the owner may read the file.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        match Self::load(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            loaded => loaded,
        }
    }

    /// A secret of its own for another purpose, the same as long as this key is.
    pub fn derive(&self, purpose: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
        hmac::sign(&key, purpose.as_bytes()).as_ref().to_vec()
    }

    /// Reads the key from its file, which has to be there.
    pub fn load(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        // One byte more than a key would show a file that is none.
        fs::File::open(path)?.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let bytes = bytes.try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "a master key file has exactly 32 bytes")
        })?;
        Ok(Self { bytes })
    }

    /// Under its name the file is whole from the first moment; of two that create it at once, both use the winner's.
    fn create(path: &Path) -> io::Result<Self> {
        let key = Self::generate()?;
        let draft = path.with_extension(format!("draft-{}", event_id::draw()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&key.bytes)?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Ok(()) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
                {
                    fs::File::open(folder)?.sync_all()?;
                }
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(error),
        }
    }

    /// Draws a key for this person and wraps it.
    pub(super) fn wrap_new_key(&self, person: &str) -> Result<DataKey, Unspecified> {
        let mut bytes = random_key()?.to_vec();
        let nonce = self.cipher()?.seal_in_place_append_tag(wrapping(person), &mut bytes)?;
        let wrapped = [nonce.as_ref().as_slice(), bytes.as_slice()].concat();
        Ok(DataKey { wrapped })
    }

    /// The person's key in clear; `None` when this master key did not wrap it for this person.
    pub(super) fn unwrap_key(&self, person: &str, key: &DataKey) -> Option<[u8; KEY_BYTES]> {
        let mut wrapped = key.wrapped.clone();
        let clear =
            open_after_nonce(&self.cipher().ok()?, wrapping(person).as_ref(), &mut wrapped)?;
        clear.try_into().ok()
    }

    /// Whether this master key wrapped this person's key: only then can anything be opened with it.
    pub fn opens(&self, person: &str, key: &DataKey) -> bool {
        self.unwrap_key(person, key).is_some()
    }

    /// Seals the known text.
    pub(super) fn seal_check(&self) -> Result<MasterCheck, Unspecified> {
        let mut bytes = CHECK_TEXT.to_vec();
        let nonce = self
            .check_cipher()?
            .seal_in_place_append_tag(Aad::from(CHECK_PURPOSE.as_bytes()), &mut bytes)?;
        Ok(MasterCheck { sealed: [nonce.as_ref().as_slice(), bytes.as_slice()].concat() })
    }

    /// Whether this key sealed the known text.
    pub(super) fn opens_check(&self, check: &MasterCheck) -> bool {
        let Ok(cipher) = self.check_cipher() else { return false };
        let mut sealed = check.sealed.clone();
        let opened = open_after_nonce(&cipher, CHECK_PURPOSE.as_bytes(), &mut sealed);
        opened.is_some_and(|text| text == CHECK_TEXT)
    }

    /// A key of its own, so that nothing is learned about the one that wraps.
    fn check_cipher(&self) -> Result<RandomizedNonceKey, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.derive(CHECK_PURPOSE))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.bytes)
    }
}

/// What a wrapped key is bound to: another person's does not open in its place.
fn wrapping(person: &str) -> Aad<Vec<u8>> {
    Aad::from([b"key of ".as_slice(), person.as_bytes()].concat())
}

/// Opens `nonce || ciphertext || tag`.
pub(super) fn open_after_nonce(
    key: &RandomizedNonceKey,
    bound_to: &[u8],
    bytes: &mut [u8],
) -> Option<Vec<u8>> {
    let (nonce, rest) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.open_in_place(nonce, Aad::from(bound_to), rest).ok().map(|clear| clear.to_vec())
}

fn random_key() -> Result<[u8; KEY_BYTES], Unspecified> {
    let mut bytes = [0; KEY_BYTES];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}
