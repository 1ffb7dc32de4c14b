//! Personal data, opened here and nowhere before: what was sealed is the JSON of a `T`.

use domain::personal::Personal;
use event_store::keys::Vault;
use serde::de::DeserializeOwned;
use service_kit::problem::{Problem, internal};

/// The data in clear; `None` when there is none, or when its person was erased.
pub(super) async fn open<T: DeserializeOwned>(
    vault: &Vault,
    sealed: Option<&Personal<T>>,
) -> Result<Option<T>, Problem> {
    let Some(sealed) = sealed else { return Ok(None) };
    let clear = vault.open(&sealed.person, &sealed.sealed).await;
    let Some(clear) = clear.map_err(|error| internal(&error))? else { return Ok(None) };
    serde_json::from_slice(&clear).map(Some).map_err(|error| internal(&error))
}
