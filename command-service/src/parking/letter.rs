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

impl NewLetter {
    /// A command that no participant understands. However often it comes, it is one letter.
    pub(crate) fn of_command(message: &CommandMessage, cause: String) -> serde_json::Result<Self> {
        let command_id = message.command_id.to_string();
        let body = serde_json::to_string(message)?;
        Ok(Self { id: id_of(command_id.as_bytes()), command_id: Some(command_id), body, cause })
    }

    /// Something that is not even a command.
    pub(crate) fn of_bytes(bytes: &[u8], cause: String) -> Self {
        // A text of PostgreSQL has no zero bytes.
        let body = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
        Self { id: id_of(bytes), command_id: None, body, cause }
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
