//! What is said when a key comes again with another request: what it was used for, and when.

use std::sync::Arc;

use chrono::SecondsFormat;
use event_store::{LoadRequest, StoreError, StoredAnswer};
use serde_json::Value;
use service_kit::idempotency;
use service_kit::problem::Problem;

use super::app::App;

impl App {
    /// The problem of a command whose key was used for another request.
    pub(super) async fn reused(&self, key: &str, command_id: &Arc<str>) -> Problem {
        let used = self.used_for(command_id).await.unwrap_or_else(|error| {
            // It is the client's mistake all the same.
            tracing::warn!(?error, "what a key was used for can't be read now");
            None
        });
        idempotency::reused(key, used.as_deref())
    }

    /// When the command was carried out and what it was about, in words.
    async fn used_for(&self, command_id: &Arc<str>) -> Result<Option<String>, StoreError> {
        let commands = vec![Arc::clone(command_id)];
        let request = LoadRequest { commands, ..LoadRequest::default() };
        let known = self.log.load(request).await?.commands.remove(command_id);
        let Some(StoredAnswer { body, position, .. }) = known.map(|known| known.answer) else {
            return Ok(None);
        };
        let last = self.log.read_all(position.saturating_sub(1), 1).await?;
        // A command that changed nothing has no event: the one at its position is another's.
        let own = last.first().filter(|event| event.metadata.command_id == *command_id);
        let when = own.map_or_else(String::new, |event| {
            let time = event.recorded_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("on {time} ")
        });
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        let about = answer["id"].as_str().map(|id| format!(", about `{id}`")).unwrap_or_default();
        Ok(Some(format!("{when}for another request{about} (position {position})")))
    }
}
