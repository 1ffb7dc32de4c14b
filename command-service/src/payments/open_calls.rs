//! The calls to the provider that are still to be carried, for whoever compares them with the log.

use std::collections::HashSet;

use event_store::{EventLog, Intent, StoreError};

use crate::side_effects::SideEffect;

/// The provider's keys of all calls that were begun and have no outcome. What is only watched for is not among them.
pub async fn open_calls(log: &dyn EventLog) -> Result<HashSet<String>, StoreError> {
    let open = log.open_intents().await?;
    let key = |intent: Intent| match serde_json::from_str(&intent.payload) {
        Ok(SideEffect::Payment(call)) => Some(call.key),
        Ok(SideEffect::Watch(_) | SideEffect::Erasure(_)) | Err(_) => None,
    };
    Ok(open.into_iter().filter_map(key).collect())
}
