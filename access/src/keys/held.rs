//! The keys of an issuer as they are held, and asked for anew.
//!
//! **Invariant:** however many tokens name whatever keys, the issuer is asked by one at a time and at most every
//! [`ASK_AT_MOST_EVERY`], and its answer is heard whether or not whoever asked for it is still there; and no key is trusted for longer
//! than [`TRUSTED_FOR`] after the issuer last named it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::key_set::KeySet;
use super::source::{Source, read_secret};
use crate::settings::{IssuerSettings, KeySource, SettingsError};
use crate::token::Refused;

/// However many unknown keys come.
const ASK_AT_MOST_EVERY: Duration = Duration::from_secs(30);
/// After this the keys are asked for though nothing is missing: so that one which was taken back goes.
const FRESH_FOR: Duration = Duration::from_mins(5);
/// An issuer that is away for longer has to come back before its tokens are taken again.
const TRUSTED_FOR: Duration = Duration::from_hours(24);

/// The keys of an issuer.
pub(crate) struct Keys {
    issuer: String,
    /// `None` for secrets, which stay as they were at the start.
    source: Option<Source>,
    held: RwLock<Held>,
    /// Held by the one task that asks.
    asking: Arc<Mutex<()>>,
}

#[derive(Clone)]
struct Held {
    set: Arc<KeySet>,
    /// When the issuer named them.
    read_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Keys {
    /// Reads them. An address that does not answer is asked again when a token comes; a file that can't be read is a mistake.
    pub(crate) async fn open(settings: &IssuerSettings) -> Result<Arc<Self>, SettingsError> {
        let (source, set) = match &settings.keys {
            KeySource::Secrets(paths) => {
                let secrets: Result<Vec<_>, _> =
                    paths.iter().map(|path| read_secret(path)).collect();
                (None, KeySet::of_secrets(&secrets?))
            }
            KeySource::File(path) => (Some(Source::File(path.clone())), KeySet::default()),
            KeySource::Address(url) => (Some(Source::address(url.clone())?), KeySet::default()),
        };
        let issuer = settings.name.clone();
        let held = RwLock::new(Held { set: Arc::new(set), read_at: None, asked_at: None });
        let keys = Arc::new(Self { issuer, source, held, asking: Arc::default() });
        keys.ask().await;
        if let Some(Source::File(path)) = &keys.source
            && keys.held().read_at.is_none()
        {
            let wrong = format!("issuer `{}`: no keys in {}", keys.issuer, path.display());
            return Err(SettingsError::Wrong(wrong));
        }
        Ok(keys)
    }

    /// The keys that may have made a signature.
    pub(crate) async fn candidates(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Refused> {
        let held = self.held();
        let found = held.set.candidates(kid, algorithm);
        if self.source.is_none() {
            return if found.is_empty() { Err(Refused::Key) } else { Ok(found) };
        }
        let age = held.read_at.map(|read_at| read_at.elapsed());
        if !found.is_empty() && age.is_some_and(|age| age < TRUSTED_FOR) {
            if age.is_some_and(|age| age >= FRESH_FOR)
                && let Ok(alone) = Arc::clone(&self.asking).try_lock_owned()
            {
                // Nobody waits for it.
                drop(self.begin(alone));
            }
            return Ok(found);
        }
        self.ask().await;
        let held = self.held();
        if held.read_at.is_none_or(|read_at| read_at.elapsed() >= TRUSTED_FOR) {
            return Err(Refused::KeysAway { again_in_s: held.asked_again_in_s() });
        }
        let found = held.set.candidates(kid, algorithm);
        if found.is_empty() { Err(Refused::Key) } else { Ok(found) }
    }

    /// Waits until the issuer was asked, unless somebody just did.
    async fn ask(self: &Arc<Self>) {
        let alone = Arc::clone(&self.asking).lock_owned().await;
        if let Some(asked) = self.begin(alone) {
            // Whatever became of it, what is held says it.
            drop(asked.await);
        }
    }

    /// Begins to ask the issuer, unless somebody just did. A task of its own: a stranger who names a key and goes away at once would
    /// else take back the one question that there may be, again and again.
    fn begin(self: &Arc<Self>, alone: OwnedMutexGuard<()>) -> Option<JoinHandle<()>> {
        if self.source.is_none() || !self.held().may_be_asked() {
            return None;
        }
        self.change(|held| held.asked_at = Some(Instant::now()));
        let keys = Arc::clone(self);
        Some(tokio::spawn(async move {
            keys.fetch().await;
            drop(alone);
        }))
    }

    async fn fetch(&self) {
        let Some(source) = &self.source else { return };
        match source.fetch().await {
            Ok(set) => self.change(|held| {
                held.set = Arc::new(set);
                held.read_at = Some(Instant::now());
            }),
            Err(error) => {
                let (issuer, place) = (&self.issuer, source.place());
                tracing::warn!(
                    issuer,
                    place,
                    error = &error as &dyn std::error::Error,
                    "an issuer's keys can't be read; those that are known stay"
                );
            }
        }
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Held {
    /// The seconds, at least one, until the issuer may be asked again.
    fn asked_again_in_s(&self) -> u32 {
        let passed = self.asked_at.map(|asked_at| asked_at.elapsed()).unwrap_or_default();
        let left = ASK_AT_MOST_EVERY.saturating_sub(passed);
        let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        u32::try_from(whole.max(1)).unwrap_or(u32::MAX)
    }

    fn may_be_asked(&self) -> bool {
        self.asked_at.is_none_or(|asked_at| asked_at.elapsed() >= ASK_AT_MOST_EVERY)
    }
}
