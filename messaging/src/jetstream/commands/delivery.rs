//! One message in the hands of a participant.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use super::queue::EPOCH;
use crate::commands::{CommandHandler, CommandMessage, Handled};
use crate::jetstream::owner::OwnedLog;
use crate::jetstream::trouble::Cause;

/// A message that no handler can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Where it stood in the queue.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// What it said.
    pub body: Bytes,
    /// Why it can't be handled.
    pub cause: String,
}

/// Who keeps messages that can't be handled, in SQL: visible, and to be replayed.
pub trait Parking: Send + Sync + 'static {
    /// Keeps a message for good. It is taken off the queue only after that.
    fn park(&self, parked: Parked) -> BoxFuture<'_, Result<(), Cause>>;
}

/// A handler that panicked, or parking that failed, is tried again after this time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Who messages are handed to.
pub(super) struct Delivery {
    pub(super) handler: Arc<dyn CommandHandler>,
    pub(super) parking: Arc<dyn Parking>,
    pub(super) turns: Semaphore,
    pub(super) ack_wait: Duration,
    /// Whose epoch is the one that commands have to be of.
    pub(super) owned: Option<Arc<OwnedLog>>,
}

impl Delivery {
    /// Hands a message to the handler when it is its turn, and tells the queue what became of it.
    pub(super) async fn deliver(&self, message: Message) {
        if message.info().is_ok_and(|info| info.delivered > 1) {
            metrics::counter!("docket_queue_redeliveries_total").increment(1);
        }
        metrics::counter!("docket_queue_deliveries_total").increment(1);
        let answer = match serde_json::from_slice::<CommandMessage>(&message.payload) {
            Ok(command) if self.is_outdated(&message) => {
                metrics::counter!("docket_queue_outdated_total").increment(1);
                tracing::info!(
                    command_id = %command.command_id,
                    "a command was made of a history that has ended, as by a restore; it is not carried out"
                );
                AckKind::Ack
            }
            Ok(command) => {
                let call = async {
                    let _turn = self.turns.acquire().await;
                    handle(command, &*self.handler).await
                };
                match while_it_takes(call, &message, self.ack_wait).await {
                    Handled::Done => AckKind::Ack,
                    Handled::Later(wait) => AckKind::Nak(Some(wait)),
                }
            }
            Err(error) => park(&message, error.to_string(), &*self.parking).await,
        };
        // An answer that is lost costs a second delivery, which changes nothing.
        if let Err(error) = message.ack_with(answer).await {
            tracing::debug!(%error, "the queue was not told what became of a command");
        }
    }
}

impl Delivery {
    /// Whether the log has begun another epoch since the command was sent. One that does not say is taken for new.
    fn is_outdated(&self, message: &Message) -> bool {
        let headers = message.headers.as_ref();
        let epoch = headers.and_then(|headers| headers.get(EPOCH)?.as_str().parse::<u32>().ok());
        match (&self.owned, epoch) {
            (Some(owned), Some(epoch)) => epoch < owned.known_identity().epoch,
            _ => false,
        }
    }
}

async fn handle(command: CommandMessage, handler: &dyn CommandHandler) -> Handled {
    let id = Arc::clone(&command.command_id);
    let call = async { handler.handle(command).await };
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(_panic) => {
            tracing::error!(command_id = %id, "the handler of a command panicked; it is delivered again");
            Handled::Later(AGAIN_AFTER)
        }
    }
}

/// Tells the queue that a slow handler is still at it.
async fn while_it_takes(
    handled: impl Future<Output = Handled>,
    message: &Message,
    ack_wait: Duration,
) -> Handled {
    tokio::pin!(handled);
    loop {
        match tokio::time::timeout(ack_wait / 3, &mut handled).await {
            Ok(handled) => return handled,
            Err(_) => {
                if let Err(error) = message.ack_with(AckKind::Progress).await {
                    tracing::debug!(%error, "the queue was not told that a command takes longer");
                }
            }
        }
    }
}

async fn park(message: &Message, cause: String, parking: &dyn Parking) -> AckKind {
    let parked = Parked {
        sequence: message.info().map(|info| info.stream_sequence).unwrap_or_default(),
        subject: message.subject.to_string(),
        body: message.payload.clone(),
        cause,
    };
    tracing::error!(subject = %parked.subject, cause = %parked.cause, "a message is no command; it is parked");
    match parking.park(parked).await {
        Ok(()) => {
            metrics::counter!("docket_queue_parked_total").increment(1);
            AckKind::Term
        }
        Err(error) => {
            tracing::error!(cause = %error, "a message can't be parked now; it is delivered again");
            AckKind::Nak(Some(AGAIN_AFTER))
        }
    }
}
