//! A dead letter is carried out after all.
//!
//! **Invariant:** however often it is replayed, it has its effect once. The effect bears the id of the message with
//! `/replay` behind it, so that whoever waits for the message's end knows it.

use domain::command::Command;
use messaging::commands::CommandMessage;

use super::message::{Understood, understand};
use super::participant::Participants;
use crate::processor::{ExecuteError, WithoutEffect};

/// Stands in the log as who asked for it.
const ACTOR: &str = "operator";

/// Why a dead letter stays one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReplayed {
    /// This build does not understand it either.
    #[error("{0}")]
    Unreadable(String),
    /// It was understood, and was not carried out.
    #[error(transparent)]
    Refused(#[from] ExecuteError),
}

impl Participants {
    /// Carries a parked message out. A refusal is told to whoever asks, and leaves nothing behind.
    pub(crate) async fn replay(&self, text: &str) -> Result<(), NotReplayed> {
        let unreadable = |error: serde_json::Error| NotReplayed::Unreadable(error.to_string());
        let mut message: CommandMessage = serde_json::from_str(text).map_err(unreadable)?;
        let command: Box<Command> = match understand(&message) {
            Understood::Command(_, command) => command,
            Understood::Parked(_, cause) | Understood::Hopeless(cause) => {
                return Err(NotReplayed::Unreadable(cause));
            }
        };
        message.command_id = format!("{}/replay", message.command_id).into();
        let request = self.request(&message, *command, WithoutEffect::Answer, ACTOR);
        self.execute_now(request).await?;
        Ok(())
    }
}
