//! A dead letter.

use chrono::{DateTime, Utc};
use messaging::commands::CommandMessage;
use uuid::Uuid;

/// A message that is to be parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewLetter {
    pub(crate) id: String,
    pub(crate) command_id: Option<String>,
    pub(crate) body: String,
    pub(crate) cause: String,
}

/// The longest cause that is kept, in characters.
const MAX_CAUSE_CHARS: usize = 1_000;

impl NewLetter {
    /// A command that no participant understands. However often it comes, it is one letter.
    pub(crate) fn of_command(message: &CommandMessage, cause: &str) -> serde_json::Result<Self> {
        let id = id_of(message.command_id.as_bytes());
        let body = serde_json::to_string(message)?;
        Ok(Self::of(id, Some(&message.command_id), &body, cause))
    }

    /// Something that is not even a command.
    pub(crate) fn of_bytes(bytes: &[u8], cause: &str) -> Self {
        Self::of(id_of(bytes), None, &String::from_utf8_lossy(bytes), cause)
    }

    fn of(id: String, command_id: Option<&str>, body: &str, cause: &str) -> Self {
        // A text of PostgreSQL has no zero bytes.
        let kept = |text: &str| text.replace('\0', "\u{fffd}");
        let cause: String = kept(cause).chars().take(MAX_CAUSE_CHARS).collect();
        Self { id, command_id: command_id.map(kept), body: kept(body), cause }
    }
}

fn id_of(bytes: &[u8]) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, bytes).simple().to_string()
}

/// A message that is parked, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place among all.
    pub number: i64,
    /// Its name.
    pub id: String,
    /// The command's id, when it is one.
    pub command_id: Option<String>,
    /// The message, as it came.
    pub body: String,
    /// Why nobody could carry it out.
    pub cause: String,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// When it was replayed and had its effect.
    pub replayed_at: Option<DateTime<Utc>>,
    /// Why the operator had it replayed.
    pub reason: Option<String>,
}
