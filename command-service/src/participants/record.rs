//! What operators do elsewhere in the platform is recorded here before it is done.

use domain::command::Command;
use domain::operations::RecordAction;
use futures::future::BoxFuture;
use messaging::commands::CommandMessage;
use messaging::record::{RecordError, Recorder};

use super::message::check_around;
use super::participant::Participants;
use crate::processor::{ExecuteError, WithoutEffect};

impl Participants {
    pub(crate) async fn record_action(&self, message: CommandMessage) -> Result<(), RecordError> {
        check_around(&message).map_err(RecordError::Refused)?;
        let command: Command = serde_json::from_str(&message.body)
            .map_err(|error| RecordError::Refused(error.to_string()))?;
        let Command::RecordAction(RecordAction { actor, .. }) = &command else {
            return Err(RecordError::Refused(format!("{} is no action", command.name())));
        };
        let actor = actor.clone();
        let answer = WithoutEffect::Answer;
        let request = self.request(&message, command, answer, actor.as_str());
        match self.execute_now(request).await {
            Ok(_) => Ok(()),
            Err(ExecuteError::KeyReused) => Err(RecordError::IdReused),
            Err(
                error @ (ExecuteError::Refused(_)
                | ExecuteError::VersionMismatch { .. }
                | ExecuteError::EventTooLarge { .. }
                | ExecuteError::Unreadable { .. }
                | ExecuteError::Broken),
            ) => Err(RecordError::Refused(error.to_string())),
            Err(error) => Err(RecordError::Unavailable(Box::new(error))),
        }
    }
}

impl Recorder for Participants {
    fn record(&self, message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>> {
        Box::pin(self.record_action(message))
    }
}
