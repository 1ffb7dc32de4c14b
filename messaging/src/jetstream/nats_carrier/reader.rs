//! The stream of events as one subscription pulls it.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::{Config, MessagesError};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::{self, Message};
use event_store::Position;
use futures::StreamExt as _;

use crate::jetstream::carrier::{CarrierError, Coming, Incoming, failed};
use crate::jetstream::names::Names;

/// Messages that may be on their way, and their bytes: well above the largest message.
const MOST_MESSAGES: usize = 1_000;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Without messages the server says this often that it is there; it is given up after two of these.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(30);
/// The server forgets a reader that asked for nothing this long.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// Messages from a sequence on. The reader at the server is nothing to be kept: it is made anew after any trouble.
pub(super) async fn from(
    client: &Client,
    names: &Names,
    first: Position,
) -> Result<Coming<Result<Incoming, CarrierError>>, CarrierError> {
    let unread = "the stream of events can't be read";
    let context = jetstream::new(client.clone());
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: first },
        ack_policy: AckPolicy::None,
        replay_policy: ReplayPolicy::Instant,
        inactive_threshold: FORGOTTEN_AFTER,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    let consumer = context.create_consumer_on_stream(config, names.events()).await;
    let messages = consumer
        .map_err(failed(unread))?
        .stream()
        .max_messages_per_batch(MOST_MESSAGES)
        .max_bytes_per_batch(MOST_BYTES)
        .heartbeat(HEARTBEAT)
        .expires(EXPIRES)
        .messages()
        .await
        .map_err(failed(unread))?;
    Ok(messages.map(incoming).boxed())
}

fn incoming(message: Result<Message, MessagesError>) -> Result<Incoming, CarrierError> {
    let message = message.map_err(failed("the stream's messages stopped"))?;
    let info = message.info().map_err(failed("a message without place"))?;
    let sequence = info.stream_sequence;
    Ok(Incoming { sequence, envelope: message.message.payload })
}
