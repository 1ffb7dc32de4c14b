//! What becomes of a request that Stripe did not carry out, or whose answer did not come.

use std::fmt;
use std::time::Duration;

use domain::payments::ProviderOutcome;
use domain::text::Reason;
use serde::Deserialize;

use crate::payments::provider::ProviderAnswer;

/// How long Stripe is left alone when it does not say for how long.
const REST: Duration = Duration::from_secs(1);
/// The same, when it does not take our key: somebody has to change that.
const LONG_REST: Duration = Duration::from_secs(10);
/// Declines after which a further attempt may succeed.
const PASSING: [&str; 5] = [
    "processing_error",
    "try_again_later",
    "issuer_not_available",
    "reenter_transaction",
    "lock_timeout",
];

/// Why there is no object in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// Stripe judged the request and did nothing.
    Refused {
        /// Its code, the issuer's where it tells.
        code: String,
        /// True when a further attempt may succeed.
        retriable: bool,
    },
    /// It did not look at the request: certain that this one did nothing.
    NotTaken(Duration),
    /// The key was used for another request before.
    KeyUsed,
    /// It may have been done.
    Unknown,
}

/// For whoever asked a question, of which nothing comes.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, .. } => write!(f, "it refuses: {code}"),
            Self::NotTaken(LONG_REST) => f.write_str("it does not take the secret key"),
            Self::NotTaken(_) => f.write_str("it takes no more requests for a moment"),
            Self::KeyUsed => f.write_str("it knows this key from another request"),
            Self::Unknown => f.write_str("it does not answer, or not in a way that is understood"),
        }
    }
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: StripeError,
}

/// What Stripe says of a refusal; also of the last one of an intent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct StripeError {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

impl StripeError {
    /// The most telling code.
    pub(super) fn code(&self) -> Option<&str> {
        self.decline_code.as_deref().or(self.code.as_deref())
    }
}

impl Failed {
    /// What an answer without success means.
    pub(super) fn of(status: u16, retry_after: Option<&str>, body: &[u8]) -> Self {
        let error = serde_json::from_slice::<Refusal>(body).unwrap_or_default().error;
        match status {
            401 | 403 => Self::NotTaken(LONG_REST),
            429 => {
                let seconds = retry_after.and_then(|said| said.parse().ok());
                Self::NotTaken(seconds.map_or(REST, Duration::from_secs))
            }
            // The same key is being worked on, or the object is locked.
            409 => Self::Unknown,
            400 if error.kind.as_deref() == Some("idempotency_error") => Self::KeyUsed,
            400..500 => {
                let code = error.code().unwrap_or("refused").to_owned();
                let retriable = PASSING.contains(&code.as_str());
                Self::Refused { code, retriable }
            }
            _ => Self::Unknown,
        }
    }

    /// What it is for the runner.
    pub(super) fn answer(self) -> ProviderAnswer {
        match self {
            Self::Refused { code, retriable } => refused(&code, retriable),
            Self::NotTaken(again_in) => ProviderAnswer::NotAsked { again_in },
            Self::KeyUsed | Self::Unknown => ProviderOutcome::Unknown.into(),
        }
    }
}

/// A refusal with this code.
pub(super) fn refused(code: &str, retriable: bool) -> ProviderAnswer {
    let code = Reason::parse(code).unwrap_or_else(|_| Reason::code("refused"));
    ProviderOutcome::Refused { code, retriable }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: u16, body: &str) -> Failed {
        Failed::of(status, None, body.as_bytes())
    }

    fn is_refused(code: &str, retriable: bool) -> Failed {
        Failed::Refused { code: code.to_owned(), retriable }
    }

    #[test]
    fn a_decline_is_refused_with_what_the_issuer_says() {
        let declined = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds",
            "message":"Your card has insufficient funds."}}"#;
        assert_eq!(failed(402, declined), is_refused("insufficient_funds", false));
        let expired = r#"{"error":{"type":"card_error","code":"expired_card"}}"#;
        assert_eq!(failed(402, expired), is_refused("expired_card", false));
        let passing = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"try_again_later"}}"#;
        assert_eq!(failed(402, passing), is_refused("try_again_later", true));
        let state = r#"{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}"#;
        assert_eq!(failed(400, state), is_refused("payment_intent_unexpected_state", false));
        assert_eq!(failed(404, "<html>"), is_refused("refused", false));
    }

    #[test]
    fn who_asked_a_question_hears_in_words_why_nothing_comes() {
        for (status, words) in [
            (401, "it does not take the secret key"),
            (429, "it takes no more requests for a moment"),
            (404, "it refuses: refused"),
            (500, "it does not answer, or not in a way that is understood"),
        ] {
            assert_eq!(failed(status, "{}").to_string(), words);
        }
    }

    #[test]
    fn what_stripe_did_not_look_at_is_not_asked_and_what_it_may_have_done_is_unknown() {
        assert_eq!(failed(401, "{}"), Failed::NotTaken(LONG_REST));
        assert_eq!(failed(403, "{}"), Failed::NotTaken(LONG_REST));
        assert_eq!(failed(429, "{}"), Failed::NotTaken(REST));
        assert_eq!(Failed::of(429, Some("7"), b"{}"), Failed::NotTaken(Duration::from_secs(7)));
        let in_use = r#"{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}"#;
        assert_eq!(failed(409, in_use), Failed::Unknown);
        for status in [500, 502, 503, 504, 302] {
            assert_eq!(failed(status, "{}"), Failed::Unknown, "{status}");
        }
        let other = r#"{"error":{"type":"idempotency_error"}}"#;
        assert_eq!(failed(400, other), Failed::KeyUsed);
        for failed in [Failed::KeyUsed, Failed::Unknown] {
            assert_eq!(failed.answer(), ProviderOutcome::Unknown.into());
        }
    }
}
