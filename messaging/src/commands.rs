//! The command queue: from the orchestrator's outbox to the participants.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// A command on its way. Its id makes repeats harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMessage {
    /// The idempotency key.
    pub command_id: Arc<str>,
    /// What is asked: JSON text, understood by sender and participant only.
    pub body: String,
    /// What it is all about, across services.
    pub correlation_id: Arc<str>,
    /// The event that made the sender ask.
    pub causation_id: Option<Arc<str>>,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
    /// Business time of the effect.
    pub occurred_at: DateTime<Utc>,
    /// What it belongs to was begun by an earlier command. A queue that can choose hands it over before those that begin
    /// something: what was begun gets done, and little stands half done at a time.
    #[serde(default)]
    pub begun: bool,
}

impl CommandMessage {
    /// One that nothing caused but whoever asks.
    pub fn of_its_own(command_id: String, body: String, occurred_at: DateTime<Utc>) -> Self {
        let command_id: Arc<str> = command_id.into();
        let correlation_id = Arc::clone(&command_id);
        let (causation_id, traceparent) = (None, None);
        Self {
            command_id,
            body,
            correlation_id,
            causation_id,
            traceparent,
            occurred_at,
            begun: false,
        }
    }
}

/// What a participant says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// An event that carries the command id is in the log; or no event could, and the message is kept for an operator.
    Done,
    /// Not now: deliver it again after this time.
    Later(Duration),
}

/// The queue can't take the messages now; the sender keeps them and sends again.
#[derive(Debug, thiserror::Error)]
#[error("the command queue can't be reached now")]
pub struct QueueError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The sender's end.
pub trait CommandQueue: Send + Sync + 'static {
    /// Hands messages over. They may still be lost or repeated: only the log tells that one was carried out.
    fn send(&self, messages: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Hands over what was made of this epoch of the log. Where the log was put back to a backup since, nobody carries it
    /// out: the order that it is about may never have been placed. A queue that ends with its log has one epoch only.
    fn send_in(
        &self,
        epoch: u32,
        messages: Vec<CommandMessage>,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        let _ = epoch;
        self.send(messages)
    }
}

/// The participant's end.
pub trait CommandHandler: Send + Sync + 'static {
    /// Carries a command out, as often as it comes.
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled>;
}
