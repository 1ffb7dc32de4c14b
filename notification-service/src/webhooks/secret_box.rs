//! Seals the secrets of endpoints, so that whoever reads the database can't sign in our name.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::secret::Secret;

/// Seals and opens secrets with a key that stands elsewhere. What is sealed for one endpoint opens for no other.
pub(crate) struct SecretBox(RandomizedNonceKey);

impl std::fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBox(..)")
    }
}

/// A sealed secret does not open: it was sealed with another key, or is damaged.
#[derive(Debug, thiserror::Error)]
#[error("the secret of an endpoint can't be opened: it was sealed with another master key")]
pub(crate) struct NotOpened;

impl SecretBox {
    /// With a key of 32 bytes.
    pub(crate) fn new(key: &[u8]) -> Result<Self, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self)
    }

    pub(crate) fn seal(&self, endpoint: &str, secret: &Secret) -> Result<String, Unspecified> {
        let mut bytes = secret.bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(endpoint.as_bytes()), &mut bytes)?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    pub(crate) fn open(&self, endpoint: &str, sealed: &str) -> Result<Secret, NotOpened> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| NotOpened)?;
        let (nonce, rest) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or(NotOpened)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(endpoint.as_bytes()), rest);
        opened.map(|clear| Secret::of_bytes(clear.to_vec())).map_err(|Unspecified| NotOpened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_endpoint_with_its_key_and_nowhere_else() {
        let (sealing, other) =
            (SecretBox::new(&[7; 32]).unwrap(), SecretBox::new(&[8; 32]).unwrap());
        let secret = Secret::draw().unwrap();
        let sealed = sealing.seal("wh_1", &secret).unwrap();
        assert_eq!(sealing.open("wh_1", &sealed).unwrap(), secret);
        assert!(sealing.open("wh_2", &sealed).is_err());
        assert!(other.open("wh_1", &sealed).is_err());
        assert!(
            !sealed.contains(secret.reveal().trim_start_matches("whsec_").trim_end_matches('='))
        );
    }
}
