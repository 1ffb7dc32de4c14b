//! The sender's end.

use async_nats::Client;
use async_nats::jetstream::Error as ServerError;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{self, Context, ErrorCode};
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::commands::{CommandMessage, CommandQueue, QueueError};
use crate::jetstream::connection;
use crate::jetstream::names::Names;
use crate::jetstream::trouble::{Trouble, broker};

/// Puts messages into the work queue.
pub struct JetStreamQueue {
    client: Client,
    context: Context,
    names: Names,
    /// One call sends at a time: answers that are waited for hold room.
    sending: Mutex<()>,
}

/// The header that says of which epoch of the log a command was made.
pub(super) const EPOCH: &str = "docket-epoch";
/// Messages on their way at once.
const AT_ONCE: usize = 1_000;

impl JetStreamQueue {
    /// Sends over this connection.
    pub fn new(client: Client, names: Names) -> Self {
        let context = jetstream::new(client.clone());
        Self { client, context, names, sending: Mutex::default() }
    }

    async fn send_all(
        &self,
        epoch: Option<u32>,
        messages: &[CommandMessage],
    ) -> Result<(), Trouble> {
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            let subject = subject(&self.names, message);
            let publish =
                self.context.send_publish(subject.clone(), publish(epoch, message)?).await;
            sent.push((subject, publish.map_err(broker("a command can't be sent"))?));
        }
        // A refusal says nothing of the others, so they are waited for; silence is that of the server.
        let mut refused = None;
        for (subject, sent) in sent {
            let Err(error) = sent.await else { continue };
            if matches!(error.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe) {
                return Err(broker("the command queue does not answer")(error));
            }
            if !self.is_on_its_way(&subject, &error).await? {
                refused = Some(error);
            }
        }
        match refused {
            None => Ok(()),
            // A queue that is missing is made by its owner, who takes from it.
            Some(error) => Err(broker("the command queue did not take a command")(error)),
        }
    }

    async fn send_in_turn(
        &self,
        epoch: Option<u32>,
        messages: Vec<CommandMessage>,
    ) -> Result<(), QueueError> {
        let _turn = self.sending.lock().await;
        for part in messages.chunks(AT_ONCE) {
            let sent = connection::while_there(&self.client, self.send_all(epoch, part)).await;
            sent.map_err(|trouble| QueueError(Box::new(trouble)))?;
        }
        Ok(())
    }

    /// Whether the queue refused a message because it holds it already, and not because it is full.
    async fn is_on_its_way(&self, subject: &str, error: &PublishError) -> Result<bool, Trouble> {
        if code(error) != Some(ErrorCode::STREAM_STORE_FAILED) {
            return Ok(false);
        }
        let stream = self.context.get_stream_no_info(self.names.commands()).await;
        let stream = stream.map_err(broker("the command queue can't be named"))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(broker("the command queue can't be looked at")(error)),
        }
    }
}

impl CommandQueue for JetStreamQueue {
    fn send(&self, messages: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(self.send_in_turn(None, messages))
    }

    fn send_in(
        &self,
        epoch: u32,
        messages: Vec<CommandMessage>,
    ) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(self.send_in_turn(Some(epoch), messages))
    }
}

/// A subject of its own for every command, so that the queue holds each once.
fn subject(names: &Names, message: &CommandMessage) -> String {
    let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, message.command_id.as_bytes());
    names.command(&name.simple().to_string())
}

fn publish(epoch: Option<u32>, message: &CommandMessage) -> Result<PublishMessage, Trouble> {
    let text = serde_json::to_vec(message).map_err(broker("a command can't be written"))?;
    let mut publish = PublishMessage::build().payload(text.into());
    if let Some(epoch) = epoch {
        publish = publish.header(EPOCH, epoch.to_string());
    }
    if let Some(traceparent) = &message.traceparent
        && traceparent.chars().all(|letter| letter.is_ascii_graphic())
    {
        publish = publish.header("traceparent", traceparent.as_ref());
    }
    Ok(publish)
}

/// What the server says was wrong.
fn code(error: &PublishError) -> Option<ErrorCode> {
    let cause = std::error::Error::source(error)?;
    Some(cause.downcast_ref::<ServerError>()?.error_code())
}
