//! The participant's end.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::{self, Context};
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::delivery::{self, Parking};
use crate::commands::CommandHandler;
use crate::jetstream::backoff::Backoff;
use crate::jetstream::names::Names;
use crate::jetstream::streams::{self, CommandsSettings};
use crate::jetstream::trouble::{Trouble, broker, chain};

/// How messages are taken from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// The queue.
    pub commands: CommandsSettings,
    /// Calls of the handler at the same time; as many messages again wait in memory.
    pub concurrency: usize,
    /// Messages delivered and neither done nor given up, also those that come again later.
    pub max_unacknowledged: i64,
    /// A message that nothing is heard of this long is delivered again.
    pub ack_wait: Duration,
}

impl Default for ConsumerSettings {
    fn default() -> Self {
        Self {
            commands: CommandsSettings::default(),
            concurrency: 64,
            max_unacknowledged: 8_192,
            ack_wait: Duration::from_secs(30),
        }
    }
}

/// The name of the one consumer; every process that may handle commands shares it.
const NAME: &str = "participants";
/// Without messages the server says this often that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(30);

/// Takes messages from the queue and hands them to a handler.
pub struct CommandConsumer {
    context: Context,
    names: Names,
    settings: ConsumerSettings,
    handler: Arc<dyn CommandHandler>,
    parking: Arc<dyn Parking>,
}

impl CommandConsumer {
    /// Hands messages to this handler, and those that can't be read to `parking`.
    pub fn new(
        client: Client,
        names: Names,
        settings: ConsumerSettings,
        handler: Arc<dyn CommandHandler>,
        parking: Arc<dyn Parking>,
    ) -> Self {
        Self { context: jetstream::new(client), names, settings, handler, parking }
    }

    /// Works until it is stopped, then lets the running calls end. What was not begun is delivered again.
    pub async fn run(self, stop: CancellationToken) {
        let turns = Arc::new(Semaphore::new(self.settings.concurrency.max(1)));
        let tasks = TaskTracker::new();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(4));
        loop {
            let session = self.session(&turns, &tasks, &mut backoff);
            let Some(trouble) = stop.run_until_cancelled(session).await else { break };
            tracing::warn!(
                cause = chain(&trouble),
                "commands can't be taken from the queue now; their senders have them"
            );
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                break;
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn session(
        &self,
        turns: &Arc<Semaphore>,
        tasks: &TaskTracker,
        backoff: &mut Backoff,
    ) -> Trouble {
        let mut messages = match self.messages().await {
            Ok(messages) => messages,
            Err(trouble) => return trouble,
        };
        loop {
            let Ok(turn) = Arc::clone(turns).acquire_owned().await else {
                return Trouble::Odd("no more turns".to_owned());
            };
            match messages.next().await {
                Some(Ok(message)) => {
                    backoff.reset();
                    let (handler, parking) = (Arc::clone(&self.handler), Arc::clone(&self.parking));
                    let ack_wait = self.settings.ack_wait;
                    tasks.spawn(async move {
                        delivery::deliver(message, handler, parking, ack_wait).await;
                        drop(turn);
                    });
                }
                Some(Err(error)) => return broker("the queue's messages stopped")(error),
                None => return Trouble::Odd("the queue's messages ended".to_owned()),
            }
        }
    }

    async fn messages(&self) -> Result<Stream, Trouble> {
        let wanted = streams::commands(&self.names, self.settings.commands);
        let info = match streams::find(&self.context, &wanted.name).await? {
            Some(info) => info,
            None => streams::create(&self.context, wanted.clone()).await?,
        };
        streams::put_right(&self.context, &info, &wanted).await;
        let config = Config {
            durable_name: Some(NAME.to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.settings.ack_wait,
            max_ack_pending: self.settings.max_unacknowledged,
            max_deliver: -1,
            num_replicas: self.settings.commands.replicas,
            ..Config::default()
        };
        let consumer = self.context.create_consumer_on_stream(config, self.names.commands()).await;
        let consumer = consumer.map_err(broker("the queue can't be read"))?;
        consumer
            .stream()
            .max_messages_per_batch(self.settings.concurrency.max(1))
            .heartbeat(HEARTBEAT)
            .expires(EXPIRES)
            .messages()
            .await
            .map_err(broker("the queue can't be read"))
    }
}
