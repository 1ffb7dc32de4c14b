//! The participant's end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::{self, Context};
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::delivery::{Delivery, Parking};
use crate::commands::CommandHandler;
use crate::jetstream::backoff::Backoff;
use crate::jetstream::connection;
use crate::jetstream::names::Names;
use crate::jetstream::owner::OwnedLog;
use crate::jetstream::streams::{self, CommandsSettings};
use crate::jetstream::trouble::{Trouble, broker, chain};

/// How messages are taken from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// The queue.
    pub commands: CommandsSettings,
    /// Calls of the handler at the same time.
    pub concurrency: usize,
    /// Messages in memory: being handled, or waiting for their turn.
    pub held: usize,
    /// Messages delivered and neither done nor given up, also those that come again later.
    pub max_unacknowledged: i64,
    /// A message that nothing is heard of this long is delivered again, to whoever is there. While a handler works, it is
    /// told of in time.
    pub ack_wait: Duration,
}

impl Default for ConsumerSettings {
    fn default() -> Self {
        Self {
            commands: CommandsSettings::default(),
            concurrency: 256,
            held: 1_024,
            max_unacknowledged: 8_192,
            ack_wait: Duration::from_secs(5),
        }
    }
}

/// The name of the one consumer; every process that may handle commands shares it.
const NAME: &str = "participants";
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(5);

/// The messages that are in memory.
struct Hands {
    /// Room for more.
    held: Arc<Semaphore>,
    tasks: TaskTracker,
    dropped: CancellationToken,
}

/// Takes messages from the queue and hands them to a handler.
pub struct CommandConsumer {
    client: Client,
    context: Context,
    names: Names,
    settings: ConsumerSettings,
    delivery: Arc<Delivery>,
    /// How the queue is kept was said.
    told: AtomicBool,
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
        let context = jetstream::new(client.clone());
        let turns = Semaphore::new(settings.concurrency.max(1));
        let ack_wait = settings.ack_wait;
        let delivery = Arc::new(Delivery { handler, parking, turns, ack_wait, owned: None });
        Self { client, context, names, settings, delivery, told: AtomicBool::new(false) }
    }

    /// Carries out nothing that was made of an earlier epoch of this log, and nothing at all before the relay has looked
    /// whether one has ended.
    #[must_use]
    pub fn of_log(mut self, owned: Arc<OwnedLog>) -> Self {
        if let Some(delivery) = Arc::get_mut(&mut self.delivery) {
            delivery.owned = Some(owned);
        }
        self
    }

    /// Works until it is stopped, then lets what it holds end. Dropped in the middle, it gives up what it holds.
    pub async fn run(self, stop: CancellationToken) {
        let hands = Hands {
            held: Arc::new(Semaphore::new(self.settings.held.max(1))),
            tasks: TaskTracker::new(),
            dropped: CancellationToken::new(),
        };
        let _dropped = hands.dropped.clone().drop_guard();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(4));
        loop {
            let session = async {
                connection::there(&self.client).await;
                let session = self.session(&hands, &mut backoff);
                connection::while_there(&self.client, session).await
            };
            let Some(ended) = stop.run_until_cancelled(session).await else { break };
            if let Err(trouble) = ended {
                let cause = chain(&trouble);
                tracing::warn!(cause, "commands can't be taken now; their senders have them");
            }
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                break;
            }
        }
        hands.tasks.close();
        hands.tasks.wait().await;
    }

    async fn session(&self, hands: &Hands, backoff: &mut Backoff) -> Result<(), Trouble> {
        let held = &hands.held;
        // It may be sent to before anything is taken from it.
        let replicas = self.queue().await?;
        if let Some(owned) = &self.delivery.owned {
            owned.inspected().await;
        }
        let consumer = self.consumer(replicas).await?;
        loop {
            // No more is asked for than there is room: what is delivered early only times out.
            let Ok(mut room) = Arc::clone(held).acquire_owned().await else { return Ok(()) };
            let more = Arc::clone(held).try_acquire_many_owned(to_u32(held.available_permits()));
            if let Ok(more) = more {
                room.merge(more);
            }
            let batch = consumer.batch().max_messages(room.num_permits()).expires(EXPIRES);
            let messages = batch.messages().await;
            let mut messages = messages.map_err(broker("the queue can't be read"))?;
            while let Some(message) = messages.next().await {
                let message = message.map_err(|source| {
                    let what = "the queue's messages stopped";
                    Trouble::Broker { what, source }
                })?;
                let Some(place) = room.split(1) else { break };
                backoff.reset();
                let (delivery, dropped) = (Arc::clone(&self.delivery), hands.dropped.clone());
                hands.tasks.spawn(async move {
                    dropped.run_until_cancelled(delivery.deliver(message)).await;
                    drop(place);
                });
            }
        }
    }

    /// Makes the queue where it is missing, and gives the number of its copies. Nobody else makes it.
    async fn queue(&self) -> Result<usize, Trouble> {
        let wanted = streams::commands(&self.names, self.settings.commands);
        let info = match streams::find(&self.context, &wanted.name).await? {
            Some(info) => info,
            None => streams::create(&self.context, wanted.clone()).await?,
        };
        streams::put_right(&self.context, &info, &wanted, &mut false).await;
        if !self.told.swap(true, Ordering::Relaxed) {
            streams::tell(&info);
        }
        Ok(info.config.num_replicas)
    }

    async fn consumer(&self, num_replicas: usize) -> Result<PullConsumer, Trouble> {
        let config = Config {
            durable_name: Some(NAME.to_owned()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.settings.ack_wait,
            max_ack_pending: self.settings.max_unacknowledged,
            max_deliver: -1,
            num_replicas,
            ..Config::default()
        };
        let consumer = self.context.create_consumer_on_stream(config, self.names.commands()).await;
        consumer.map_err(broker("the queue can't be read"))
    }
}

fn to_u32(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}
