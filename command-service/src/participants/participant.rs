//! Carries messages of the command queue out.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use event_store::Metadata;
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, Handled};

use super::message::{Understood, understand};
use crate::processor::{Answer, ExecuteError, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;

/// When a command that has to wait for another is asked again.
const BUSY_AGAIN: Duration = Duration::from_millis(50);
/// When a command that could not be taken is asked again.
const UNAVAILABLE_AGAIN: Duration = Duration::from_millis(500);
/// When a command that nothing can be done with is asked again: an operator has to act first.
const HOPELESS_AGAIN: Duration = Duration::from_mins(1);

/// All participants: inventory, payments, shipping and orders themselves.
#[derive(Debug, Clone)]
pub struct Participants {
    processor: ProcessorHandle,
    hasher: RequestHasher,
}

impl Participants {
    /// Participants that act through this processor.
    pub(crate) fn new(processor: ProcessorHandle, hasher: RequestHasher) -> Self {
        Self { processor, hasher }
    }

    async fn carry_out(&self, message: CommandMessage) -> Handled {
        match understand(&message.command_id, &message.body) {
            Understood::Command(order_id, command) => {
                self.execute(&message, *command, WithoutEffect::Record { order_id }).await
            }
            Understood::Parked(record) => {
                tracing::error!(command.id = %message.command_id, "a command is parked");
                self.execute(&message, (*record).into(), WithoutEffect::Answer).await
            }
            Understood::Hopeless(error) => {
                tracing::error!(%error, command.id = %message.command_id, "a message can't be understood");
                Handled::Later(HOPELESS_AGAIN)
            }
        }
    }

    async fn execute(
        &self,
        message: &CommandMessage,
        command: Command,
        without_effect: WithoutEffect,
    ) -> Handled {
        let command_id = Arc::clone(&message.command_id);
        let request = Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[message.body.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: "saga".into(),
                correlation_id: Arc::clone(&message.correlation_id),
                causation_id: message.causation_id.clone(),
                traceparent: message.traceparent.clone(),
                occurred_at: message.occurred_at,
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect,
        };
        match self.processor.execute(request).await {
            Ok(_) => Handled::Done,
            Err(ExecuteError::KeyReused) => {
                // The id stands for another body: what became of that one is in the log.
                tracing::error!(command.id = %message.command_id, "a command id was used for another command");
                Handled::Done
            }
            Err(ExecuteError::Busy) => Handled::Later(BUSY_AGAIN),
            Err(
                error @ (ExecuteError::Refused(_)
                | ExecuteError::VersionMismatch { .. }
                | ExecuteError::EventTooLarge { .. }
                | ExecuteError::Broken),
            ) => {
                tracing::error!(%error, command.id = %message.command_id, "a command of a saga can't end");
                Handled::Later(HOPELESS_AGAIN)
            }
            Err(
                ExecuteError::Overloaded
                | ExecuteError::OutcomeUnknown
                | ExecuteError::Unavailable
                | ExecuteError::Stopped,
            ) => Handled::Later(UNAVAILABLE_AGAIN),
        }
    }
}

impl CommandHandler for Participants {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        Box::pin(self.carry_out(message))
    }
}
