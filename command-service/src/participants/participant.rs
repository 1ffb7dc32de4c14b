//! Carries messages of the command queue out.

use std::sync::Arc;
use std::time::Duration;

use domain::command::Command;
use domain::sagas::RecordCommandEnd;
use event_store::Metadata;
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, Handled};
use service_kit::trace;
use tracing::Instrument as _;

use super::message::{Understood, parked, understand};
use crate::parking::{DeadLetters, NewLetter};
use crate::processor::{Answer, ExecuteError, Outcome, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;

/// When a command that has to wait for another is asked again.
const BUSY_AGAIN: Duration = Duration::from_millis(50);
/// When a command that could not be taken is asked again.
const UNAVAILABLE_AGAIN: Duration = Duration::from_millis(500);
/// When a command whose end can't be recorded is asked again: an operator has to act first.
const HOPELESS_AGAIN: Duration = Duration::from_mins(1);

/// All participants: inventory, payments, shipping and orders themselves.
#[derive(Debug, Clone)]
pub struct Participants {
    processor: ProcessorHandle,
    hasher: RequestHasher,
    letters: Option<Arc<DeadLetters>>,
}

/// What stands in the log as who asked.
const SAGA: &str = "saga";

impl Participants {
    /// Participants that act through this processor, and keep what nobody understands among these letters.
    pub(crate) fn new(
        processor: ProcessorHandle,
        hasher: RequestHasher,
        letters: Option<Arc<DeadLetters>>,
    ) -> Self {
        Self { processor, hasher, letters }
    }

    async fn carry_out(&self, message: CommandMessage) -> Handled {
        match understand(&message) {
            Understood::Command(order_id, command) => {
                let name = command.name().to_owned();
                let record = WithoutEffect::Record { order_id: order_id.clone() };
                let request = self.request(&message, *command, record, SAGA);
                match self.execute_now(request).await {
                    // Asked again it would be as large as it is now.
                    Err(error @ ExecuteError::EventTooLarge { .. }) => {
                        match parked(&message, order_id, name, &error.to_string()) {
                            Some((record, cause)) => self.end(&message, record, cause).await,
                            None => Handled::Later(HOPELESS_AGAIN),
                        }
                    }
                    outcome => handled(&message, outcome),
                }
            }
            Understood::Parked(record, cause) => self.end(&message, *record, cause).await,
            Understood::Hopeless(cause) => {
                // Nobody can be told of its end: it is kept for an operator, and taken off the queue.
                tracing::error!(cause, command.id = %message.command_id, "a message can't be understood");
                if self.park(&message, cause).await {
                    Handled::Done
                } else {
                    Handled::Later(UNAVAILABLE_AGAIN)
                }
            }
        }
    }

    /// Keeps a message for an operator, and records that this is its end for now.
    async fn end(
        &self,
        message: &CommandMessage,
        record: RecordCommandEnd,
        cause: String,
    ) -> Handled {
        tracing::error!(cause, command.id = %message.command_id, "a command is parked");
        if !self.park(message, cause).await {
            return Handled::Later(UNAVAILABLE_AGAIN);
        }
        let request = self.request(message, record.into(), WithoutEffect::Answer, SAGA);
        handled(message, self.execute_now(request).await)
    }

    /// Whether the message is kept, if there is a place for it.
    async fn park(&self, message: &CommandMessage, cause: String) -> bool {
        let Some(letters) = &self.letters else { return true };
        let kept = match NewLetter::of_command(message, &cause) {
            Ok(letter) => letters.park(&letter).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = &kept {
            tracing::error!(error, command.id = %message.command_id, "a command can't be parked now");
        }
        kept.is_ok()
    }
}

/// What the queue is told of a command that was handed to the processor.
fn handled(message: &CommandMessage, outcome: Result<Outcome, ExecuteError>) -> Handled {
    match outcome {
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
            | ExecuteError::Unreadable { .. }
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

impl Participants {
    pub(super) fn request(
        &self,
        message: &CommandMessage,
        command: Command,
        without_effect: WithoutEffect,
        actor: &str,
    ) -> Request {
        let command_id = Arc::clone(&message.command_id);
        Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[message.body.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: actor.into(),
                correlation_id: Arc::clone(&message.correlation_id),
                causation_id: message.causation_id.clone(),
                traceparent: message.traceparent.clone(),
                occurred_at: message.occurred_at,
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect,
        }
    }

    pub(super) async fn execute_now(&self, request: Request) -> Result<Outcome, ExecuteError> {
        self.processor.execute(request).await
    }
}

impl CommandHandler for Participants {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        let span =
            tracing::info_span!("process", otel.name = "process command", otel.kind = "consumer");
        trace::follow(&span, message.traceparent.as_deref());
        Box::pin(self.carry_out(message).instrument(span))
    }
}
