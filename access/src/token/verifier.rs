//! From the text of a token to who sent it.
//!
//! The order is fixed: what it looks like, whose it says to be, how that issuer signs, with which of that issuer's keys, the
//! signature, and only then what it says. **Invariant:** algorithm and keys come from the settings of the issuer, never from the
//! token; nothing of the claims but `iss` is looked at before the signature is verified.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, crypto};
use serde_json::Value;

use super::claims::{Now, principal};
use super::parts::Parts;
use super::refused::Refused;
use crate::keys::Keys;
use crate::principal::Principal;
use crate::settings::{AuthSettings, IssuerSettings, SettingsError};

/// The longest id of a key, in characters.
const MOST_KID: usize = 256;

/// Verifies tokens.
pub struct Verifier {
    audience: String,
    leeway: Duration,
    issuers: Vec<Issuer>,
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

struct Issuer {
    settings: IssuerSettings,
    keys: Arc<Keys>,
}

impl Verifier {
    /// Reads every issuer's keys. Those that are fetched may be away: then tokens of that issuer are refused with
    /// [`Refused::KeysAway`] until they are there.
    pub async fn start(
        settings: AuthSettings,
        clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    ) -> Result<Self, SettingsError> {
        let AuthSettings { audience, leeway, issuers, .. } = settings;
        let mut with_keys = Vec::new();
        for settings in issuers {
            let keys = Keys::open(&settings).await?;
            with_keys.push(Issuer { settings, keys });
        }
        Ok(Self { audience, leeway, issuers: with_keys, clock })
    }

    /// Who sent this token.
    pub async fn verify(&self, token: &str) -> Result<Principal, Refused> {
        let parts = Parts::of(token)?;
        let issuer = match parts.claims.get("iss") {
            None => return Err(Refused::Missing("iss")),
            Some(Value::String(name)) => {
                self.issuers.iter().find(|issuer| issuer.settings.issuer == *name)
            }
            Some(_) => return Err(Refused::Claim("iss")),
        };
        let issuer = issuer.ok_or(Refused::Issuer)?;
        let algorithm = algorithm(&parts, &issuer.settings)?;
        let kid = kid(&parts)?;
        let candidates = issuer.keys.candidates(kid, algorithm).await?;
        let is_signed = candidates.iter().any(|key| {
            crypto::verify(parts.signature, parts.message.as_bytes(), key, algorithm)
                .unwrap_or_default()
        });
        if !is_signed {
            return Err(Refused::Signature);
        }
        principal(&parts.claims, &issuer.settings, &self.audience, self.now())
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our days fit")]
    fn now(&self) -> Now {
        let milliseconds = (self.clock)().timestamp_millis();
        Now { seconds: milliseconds as f64 / 1000.0, leeway: self.leeway.as_secs_f64() }
    }
}

fn algorithm(parts: &Parts<'_>, issuer: &IssuerSettings) -> Result<Algorithm, Refused> {
    let Some(Value::String(word)) = parts.header.get("alg") else {
        return Err(Refused::Algorithm);
    };
    let algorithm = word.parse().map_err(|_| Refused::Algorithm)?;
    if issuer.algorithms.contains(&algorithm) { Ok(algorithm) } else { Err(Refused::Algorithm) }
}

fn kid<'p>(parts: &'p Parts<'_>) -> Result<Option<&'p str>, Refused> {
    match parts.header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MOST_KID => Ok(Some(kid)),
        Some(_) => Err(Refused::Key),
    }
}
