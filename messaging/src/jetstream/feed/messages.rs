//! The stream of events as one subscription pulls it.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::{self, Message};
use event_store::{LogIdentity, Position, RecordedEvent};

use crate::jetstream::envelope;
use crate::jetstream::names::Names;
use crate::jetstream::trouble::{Trouble, broker};

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
) -> Result<Stream, Trouble> {
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
    let consumer = consumer.map_err(broker("the stream of events can't be read"))?;
    consumer
        .stream()
        .max_messages_per_batch(MOST_MESSAGES)
        .max_bytes_per_batch(MOST_BYTES)
        .heartbeat(HEARTBEAT)
        .expires(EXPIRES)
        .messages()
        .await
        .map_err(broker("the stream of events can't be read"))
}

/// What a message is for a reader of this log.
pub(super) enum Read {
    /// The log's event of this position.
    Event(RecordedEvent),
    /// It stands at this sequence and is not: a hole.
    Hole(Position, String),
    /// The log has a later epoch than is known here.
    Later(u32),
}

pub(super) fn read(message: &Message, log: &LogIdentity) -> Result<Read, Trouble> {
    let info = message
        .info()
        .map_err(|error| Trouble::Odd(format!("a message without place: {error}")))?;
    let sequence = info.stream_sequence;
    Ok(match envelope::decode(&message.payload) {
        Err(error) => Read::Hole(sequence, error.to_string()),
        Ok(received) if received.log.log != log.log => {
            Read::Hole(sequence, format!("it is of another log, {}", received.log.log))
        }
        Ok(received) if received.event.position != sequence => {
            Read::Hole(sequence, format!("it is the event of position {}", received.event.position))
        }
        Ok(received) if received.log.epoch > log.epoch => Read::Later(received.log.epoch),
        Ok(received) if received.log.epoch < log.epoch => {
            Read::Hole(sequence, format!("it is of the older epoch {}", received.log.epoch))
        }
        Ok(received) => Read::Event(received.event),
    })
}
