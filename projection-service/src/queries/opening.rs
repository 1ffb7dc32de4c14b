//! Personal data, opened here and nowhere before: what was sealed is the JSON of a `T`.

use domain::personal::Personal;
use event_store::keys::{OpenError, Vault};
use serde::de::DeserializeOwned;
use service_kit::problem::{Code, Problem, internal};

/// The data in clear; `None` when there is none, or when its person was erased.
pub(super) async fn open<T: DeserializeOwned>(
    vault: &Vault,
    sealed: Option<&Personal<T>>,
) -> Result<Option<T>, Problem> {
    let Some(sealed) = sealed else { return Ok(None) };
    let clear = vault.open(&sealed.person, &sealed.sealed).await;
    let Some(clear) = clear.map_err(|error| problem(&error))? else { return Ok(None) };
    serde_json::from_slice(&clear).map(Some).map_err(|error| internal(&error))
}

/// Where the keys are kept somewhere else, that may be away, and the rest of what is asked is there.
fn problem(error: &OpenError) -> Problem {
    match error {
        OpenError::Store(error) => {
            tracing::debug!(%error, "personal data can't be opened now");
            let detail = "the key of a person can't be read now";
            Problem::from(Code::Unavailable).detail(detail).retry_after(1)
        }
        other => internal(other),
    }
}
