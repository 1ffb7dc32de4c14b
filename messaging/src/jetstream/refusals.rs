//! What a server refused, said so that somebody can do something about it, and not again and again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::login::Identity;

/// How often the same refusal is said.
const SAY_AGAIN: Duration = Duration::from_mins(1);
/// Refusals that are remembered: a subject may be another each time.
const MOST: usize = 100;

/// What the server refused, and when that was said.
#[derive(Debug)]
pub(super) struct Refusals {
    /// Whom the server knows this process as.
    identity: Identity,
    said: Mutex<HashMap<String, Instant>>,
}

/// A subject that an identity has no permission for.
#[derive(Debug, PartialEq, Eq)]
struct Forbidden<'t> {
    may_not: &'static str,
    subject: &'t str,
}

impl Refusals {
    pub(super) fn of(identity: Identity) -> Self {
        Self { identity, said: Mutex::default() }
    }

    /// Says what the server told, unless that was said a moment ago.
    pub(super) fn tell(&self, told: &str) {
        if !self.is_news(told) {
            return;
        }
        let identity = &self.identity;
        if let Some(Forbidden { may_not, subject }) = forbidden(told) {
            metrics::counter!("docket_nats_forbidden_total").increment(1);
            tracing::error!(
                subject, %identity,
                "NATS does not let this identity {may_not} this subject: its permissions in the configuration of the server lack it"
            );
        } else if is_stranger(told) {
            tracing::error!(
                %identity,
                "NATS does not let this identity in: it is none of those in the configuration of the server, or shows another secret"
            );
        } else {
            tracing::warn!(error = told, %identity, "NATS refused something");
        }
    }

    /// Whether it has not been said for a while.
    fn is_news(&self, told: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.get(told).is_some_and(|at| at.elapsed() < SAY_AGAIN) {
            return false;
        }
        if said.len() >= MOST {
            said.clear();
        }
        said.insert(told.to_owned(), Instant::now());
        true
    }
}

/// Reads the server's words, such as `Permissions Violation for Publish to "a.b"`.
fn forbidden(told: &str) -> Option<Forbidden<'_>> {
    let (_, what) = told.split_once("Permissions Violation for ")?;
    let may_not = match what.split(' ').next()? {
        "Publish" => "publish to",
        _ => "subscribe to",
    };
    let (_, rest) = what.split_once('"')?;
    let (subject, _) = rest.split_once('"')?;
    Some(Forbidden { may_not, subject })
}

fn is_stranger(told: &str) -> bool {
    told.to_ascii_lowercase().contains("authorization violation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_again_and_again_is_said_once_a_minute() {
        let refusals = Refusals::of(Identity::Nobody);
        let said = ["wrong password", "wrong password", "no permission", "wrong password"];
        assert_eq!(said.map(|refusal| refusals.is_news(refusal)), [true, false, true, false]);
        tokio::time::advance(SAY_AGAIN).await;
        assert!(refusals.is_news("no permission"));
    }

    #[test]
    fn the_server_s_words_tell_what_may_not_be_done_with_which_subject() {
        for (told, may_not, subject) in [
            (r#"nats: Permissions Violation for Publish to "a.b""#, "publish to", "a.b"),
            (r#"Permissions Violation for Subscription to ">""#, "subscribe to", ">"),
            (
                r#"Permissions Violation for Subscription to "a.*" using queue "q""#,
                "subscribe to",
                "a.*",
            ),
        ] {
            assert_eq!(forbidden(told), Some(Forbidden { may_not, subject }), "{told}");
        }
        assert_eq!(forbidden("Stale Connection"), None);
        assert!(is_stranger("nats: Authorization Violation"));
    }
}
