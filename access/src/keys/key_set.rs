//! Keys to verify with, each for the algorithms that it can be used for.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Keys beyond these are not looked at: an issuer has two or three.
const MOST_KEYS: usize = 32;
/// So many keys are tried when a token does not say which: one, and its successor.
const MOST_TRIED: usize = 2;

/// The keys of an issuer at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    /// For a curve, the only one that goes with it.
    of_curve: Option<Algorithm>,
    /// To verify with: public, or a secret that is shared.
    verifies: DecodingKey,
}

/// A text that holds no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKeys {
    /// It is not JSON with `keys`.
    #[error("this is no JSON Web Key Set")]
    Malformed(#[from] serde_json::Error),
    /// None of them can verify a signature.
    #[error("there is no public key in it that can verify a signature")]
    Empty,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl KeySet {
    /// Of secrets.
    pub(super) fn of_secrets(secrets: &[Vec<u8>]) -> Self {
        let keys = secrets.iter().filter_map(|secret| DecodingKey::from_secret(secret).ok());
        Self(
            keys.map(|verifies| Key { id: None, algorithm: None, of_curve: None, verifies })
                .collect(),
        )
    }

    /// Of a JSON Web Key Set. A key that is for something else, or of a kind that is not known, is passed over; a secret in it is no
    /// secret.
    pub(super) fn parse(text: &[u8]) -> Result<Self, NoKeys> {
        let set: Set = serde_json::from_slice(text)?;
        let keys: Vec<Key> = set.keys.into_iter().take(MOST_KEYS).filter_map(usable).collect();
        if keys.is_empty() { Err(NoKeys::Empty) } else { Ok(Self(keys)) }
    }

    /// The keys that may have made a signature; none when the token has to say which, and does not.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let fits = |key: &&Key| {
            key.verifies.family() == algorithm.family()
                && key.algorithm.is_none_or(|its| its == algorithm)
                && key.of_curve.is_none_or(|its| its == algorithm)
        };
        let named = |key: &&Key| kid.is_none_or(|kid| key.id.as_deref() == Some(kid));
        let found: Vec<_> = self.0.iter().filter(fits).filter(named).collect();
        if found.len() > MOST_TRIED {
            return Vec::new();
        }
        found.into_iter().map(|key| key.verifies.clone()).collect()
    }

    /// The first key that fits.
    pub(super) fn find(&self, fits: impl Fn(&DecodingKey) -> bool) -> Option<&Key> {
        self.0.iter().find(|key| fits(&key.verifies))
    }
}

fn usable(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let is_to_sign =
        common.public_key_use.as_ref().is_none_or(|its| *its == PublicKeyUse::Signature);
    let operations = common.key_operations.as_ref();
    let is_to_verify =
        operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !is_to_sign || !is_to_verify {
        return None;
    }
    let algorithm = match common.key_algorithm {
        None => None,
        Some(KeyAlgorithm::UNKNOWN_ALGORITHM) => return None,
        Some(named) => Some(Algorithm::try_from(named).ok()?),
    };
    let of_curve = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => None,
        AlgorithmParameters::EllipticCurve(key) => Some(match key.curve {
            EllipticCurve::P256 => Algorithm::ES256,
            EllipticCurve::P384 => Algorithm::ES384,
            _ => return None,
        }),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        _ => return None,
    };
    let verifies = DecodingKey::from_jwk(&jwk).ok()?;
    let known = !matches!(verifies.family(), AlgorithmFamily::Hmac);
    known.then_some(Key { id: jwk.common.key_id, algorithm, of_curve, verifies })
}
