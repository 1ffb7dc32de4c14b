//! `Prefer: wait=N`: the client would rather wait for the decision than ask for it.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use service_kit::problem::{Code, Problem};

/// The longest wait, in seconds.
const MAX_WAIT_SECONDS: u64 = 30;

/// How long the client would like to wait; a longer wish counts as the longest wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PreferWait(pub(super) Option<Duration>);

/// The header, as the API description shows it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PreferHeader {
    /// `wait=N`: answer when the order is confirmed, rejected or cancelled, at most after N seconds (30 at most).
    #[param(rename = "Prefer")]
    prefer: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PreferWait {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let values = parts.headers.get_all("prefer").iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let mut preferences = texts.flat_map(|text| text.split([',', ';'])).map(str::trim);
        // A preference that is not understood is no mistake; a wait that can't be read is.
        let Some(wait) = preferences.find_map(|preference| preference.strip_prefix("wait=")) else {
            return Ok(Self(None));
        };
        match wait.trim_matches('"').parse::<u64>() {
            Ok(seconds) => Ok(Self(Some(Duration::from_secs(seconds.min(MAX_WAIT_SECONDS))))),
            Err(_) => {
                Err(Problem::from(Code::InvalidHeader)
                    .mistake("Prefer", "wait=N, in whole seconds"))
            }
        }
    }
}
