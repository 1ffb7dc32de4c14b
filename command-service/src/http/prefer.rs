//! `Prefer: wait=N`: the client would rather wait for the decision than ask for it.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use service_kit::problem::{Code, Problem};

/// The longest wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 30;

/// Says for how long an answer may have waited, in the words of `Prefer`.
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A wait that is kept to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    seconds: u64,
}

impl Wait {
    /// A wish; longer than the longest wait it is the longest wait, and the answer says so.
    fn wished(seconds: u64) -> Self {
        Self { seconds: seconds.min(MAX_WAIT_SECONDS) }
    }

    /// How long it is.
    pub(super) fn time(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Says it in an answer: a client that wished for more reads here what it got.
    pub(super) fn say(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(format!("wait={}", self.seconds)) {
            headers.insert(APPLIED, value);
        }
    }
}

/// How long the client would like to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PreferWait(pub(super) Option<Wait>);

/// The header, as the API description shows it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PreferHeader {
    /// `wait=N`: answer when it is decided what comes of it, at most after N seconds. Of an order: `status` is `confirmed`,
    /// `rejected` or `cancelled`. Of a cancellation: `cancelled` or `declined`. Of a return that arrived: `refunded`,
    /// `refund_failed` or `settled_by_hand`. More than 30 counts as 30; `Preference-Applied` of the answer says what was kept to, and is
    /// absent when as many wait as may: then the answer is as without it.
    #[param(rename = "Prefer", value_type = String, required = false, pattern = "^wait=[0-9]{1,4}$", example = "wait=5")]
    prefer: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PreferWait {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let values = parts.headers.get_all("prefer").iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let mut preferences = texts.flat_map(|text| text.split([',', ';'])).map(str::trim);
        // A preference that is not understood is no mistake; a wait that can't be read is.
        let Some(wait) = preferences.find_map(wait_of) else { return Ok(Self(None)) };
        let digits = wait.trim_matches('"');
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let wrong = format!("`wait={wait}` is not wait=N with N in whole seconds");
            return Err(Problem::from(Code::InvalidHeader).mistake("Prefer", wrong));
        }
        Ok(Self(Some(Wait::wished(digits.parse().unwrap_or(u64::MAX)))))
    }
}

/// What stands behind `wait` in a preference; the name in any case, as RFC 7240 has it.
fn wait_of(preference: &str) -> Option<&str> {
    let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
    name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn asked(prefer: &str) -> Result<Option<u64>, &'static str> {
        let request = Request::builder().header("prefer", prefer).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let wait = PreferWait::from_request_parts(&mut parts, &()).await;
        wait.map(|wait| wait.0.map(|wait| wait.seconds)).map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_wait_is_in_whole_seconds_and_at_most_the_longest_there_is() {
        for (prefer, seconds) in [
            ("wait=5", Some(5)),
            ("WAIT = \"5\"", Some(5)),
            ("respond-async, wait=0", Some(0)),
            ("wait=99", Some(30)),
            ("wait=99999999999999999999999", Some(30)),
            ("respond-async", None),
        ] {
            assert_eq!(asked(prefer).await, Ok(seconds), "{prefer}");
        }
        for wrong in ["wait=soon", "wait=", "wait", "wait=-1", "wait=+1", "wait=1.5"] {
            assert_eq!(asked(wrong).await, Err("invalid_header"), "{wrong}");
        }
    }
}
