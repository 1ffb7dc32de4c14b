//! Issuers with keys of their own, and a verifier that knows them.

use std::path::Path;
use std::sync::Arc;

use access::{AuthSettings, Verifier};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The secret that the platform shares with the issuer `shared`.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const AUDIENCE: &str = "docket";
/// What time it is.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn clock() -> Arc<dyn Fn() -> DateTime<Utc> + Send + Sync> {
    Arc::new(|| DateTime::from_timestamp(NOW, 0).unwrap())
}

/// Keys of one kind.
pub(crate) enum Keys {
    Rsa(RsaKeyPair),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl Keys {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn curve() -> Self {
        Self::Curve(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn edwards() -> Self {
        Self::Edwards(Ed25519KeyPair::generate().unwrap())
    }

    /// The public one, as an issuer names it.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let n = pair.public_key().modulus().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": base64(n), "e": "AQAB" })
            }
            Self::Curve(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": base64(x), "y": base64(y) })
            }
            Self::Edwards(pair) => {
                let x = base64(pair.public_key());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
            }
        }
    }

    pub(crate) fn sign(&self, message: &str) -> String {
        let (random, message) = (SystemRandom::new(), message.as_bytes());
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                base64(signature)
            }
            Self::Curve(pair) => base64(pair.sign(&random, message).unwrap()),
            Self::Edwards(pair) => base64(pair.sign(message)),
        }
    }

    /// A token with this header and these claims, as texts.
    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header), base64(claims));
        format!("{message}.{}", self.sign(&message))
    }
}

/// A token signed with a shared secret.
pub(crate) fn with_secret(secret: &[u8], header: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64(header), base64(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64(tag))
}

/// What a good token of `shared` says.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://shared.test", "aud": AUDIENCE, "sub": "ada", "roles": ["operator"],
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 300,
    })
}

/// The same with one claim changed, or taken out with `null`.
pub(crate) fn claims_but(name: &str, value: Value) -> String {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.to_owned(), value)),
    }
    claims.to_string()
}

/// What a good token of this issuer says.
pub(crate) fn claims_of(issuer: &str) -> String {
    claims_but("iss", issuer.into())
}

/// Four issuers: with a shared secret, with an RSA key, with a curve, and one for customers.
pub(crate) struct Issuers {
    pub(crate) rsa: Keys,
    pub(crate) curve: Keys,
    pub(crate) customers: Keys,
    pub(crate) folder: TempDir,
}

impl Issuers {
    pub(crate) fn new() -> Self {
        let issuers = Self {
            rsa: Keys::rsa(),
            curve: Keys::curve(),
            customers: Keys::edwards(),
            folder: tempfile::tempdir().unwrap(),
        };
        issuers.write("shared.secret", SECRET);
        issuers.write("rsa.json", &json!({ "keys": [issuers.rsa.jwk("r1")] }).to_string());
        issuers.write("curve.json", &json!({ "keys": [issuers.curve.jwk("c1")] }).to_string());
        let customers = json!({ "keys": [issuers.customers.jwk("e1")] });
        issuers.write("customers.json", &customers.to_string());
        issuers.write("auth.toml", SETTINGS);
        issuers
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn settings(&self) -> AuthSettings {
        AuthSettings::read(&self.path().join("auth.toml")).unwrap()
    }

    pub(crate) async fn verifier(&self) -> Verifier {
        Verifier::start(self.settings(), clock()).await.unwrap()
    }
}

const SETTINGS: &str = r#"
audience = "docket"
leeway_seconds = 30

[[issuers]]
name = "shared"
issuer = "https://shared.test"
algorithms = ["HS256"]
roles = ["operator", "service", "support", "customer"]
secret_files = ["shared.secret"]

[[issuers]]
name = "rsa"
issuer = "https://rsa.test"
algorithms = ["RS256"]
roles = ["operator"]
jwks_file = "rsa.json"

[[issuers]]
name = "curve"
issuer = "https://curve.test"
algorithms = ["ES256"]
roles = ["operator"]
jwks_file = "curve.json"

[[issuers]]
name = "customers"
issuer = "https://customers.test"
algorithms = ["EdDSA"]
roles = ["customer"]
roles_claim = "https://shop.test/roles"
customer_claim = "customer_number"
jwks_file = "customers.json"
"#;
