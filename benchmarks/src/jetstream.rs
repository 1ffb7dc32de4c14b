//! The messaging over JetStream: how fast the relay catches up, and how fast a feed reads. The log is in memory, so that
//! the messaging is measured and not a database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::stream;
use chrono::DateTime;
use event_store::memory::MemoryLog;
use event_store::{
    AppendTransaction, EventLog, LogIdentity, Metadata, NewEvent, Position, StreamId,
};
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, CommandQueue, Handled};
use messaging::feed::{Feed, Subscription};
use messaging::jetstream::{
    Announcer, CommandConsumer, ConnectionSettings, ConsumerSettings, EpochKeeper, HistoryServer,
    JetStreamFeed, JetStreamQueue, Names, NatsCarrier, OwnedLog, Parked, Parking, Relay,
    RelaySettings, connect,
};
use test_servers::Nats;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::row::{self, Row};

/// Transactions that are appended at once.
const BATCH: u64 = 500;
/// As long as an order of the real shop, about.
const PAYLOAD_BYTES: usize = 400;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Measures with this many events, on as many threads as there are cores.
pub(crate) async fn rows(events: u64) -> Result<Vec<Row>> {
    let measured = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(measure(events))
    });
    measured.await?
}

async fn measure(events: u64) -> Result<Vec<Row>> {
    let nats = Nats::start()?;
    let client = connect(&ConnectionSettings::new(&nats.url(), "benchmark")).await?;
    let names = Names::default();
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
    for first in (0..events).step_by(usize::try_from(BATCH)?) {
        let last = (first + BATCH).min(events);
        log.append((first..last).map(transaction).collect()).await?;
    }
    let owned = OwnedLog::new(Arc::clone(&log), Arc::new(FixedEpoch(log.identity())));
    let stop = CancellationToken::new();
    let _stopped_at_the_end = stop.clone().drop_guard();
    let carrier = NatsCarrier::over(client.clone(), names.clone());
    let announcer = Announcer::new(Arc::clone(&carrier), Arc::clone(&owned));
    tokio::spawn(announcer.run(stop.clone()));
    let history = HistoryServer::new(Arc::clone(&carrier), Arc::clone(&owned));
    tokio::spawn(history.run(stop.clone()));

    let mut rows = Vec::new();
    let relay = Relay::new(Arc::clone(&carrier), owned, RelaySettings::default());
    let begun = Instant::now();
    tokio::spawn(relay.run(stop.clone()));
    published(&client, events).await;
    rows.push(rate("relay catching up: log to stream", events, "events/s", begun));

    rows.push(plain(&client, events).await?);

    let feed = JetStreamFeed::open(carrier).await;
    let begun = Instant::now();
    let mut subscription = feed.subscribe(0).await?;
    let mut read = 0;
    while read < events {
        read += subscription.next(500).await?.len() as u64;
    }
    rows.push(rate("feed reading the stream", events, "events/s", begun));
    rows.push(latency(&*log, &mut *subscription, events).await?);

    let begun = Instant::now();
    let mut at: Position = 0;
    while at < events {
        let page = feed.read_all(at, 5_000).await?;
        at = page.last().context("a page of history")?.position;
    }
    rows.push(rate("feed reading the log by request", events, "events/s", begun));
    rows.push(commands(&client, &names, &stop).await?);
    Ok(rows)
}

/// What the relay is compared with: the same bytes, published by the client library alone, as many at once.
async fn plain(client: &async_nats::Client, events: u64) -> Result<Row> {
    let context = async_nats::jetstream::new(client.clone());
    let stream = context.create_stream(stream::Config {
        name: "PLAIN".to_owned(),
        subjects: vec!["plain.>".to_owned()],
        ..stream::Config::default()
    });
    stream.await?;
    // An envelope is about this much longer than its payload.
    let payload: bytes::Bytes = "x".repeat(PAYLOAD_BYTES + 600).into();
    let begun = Instant::now();
    let mut waiting = VecDeque::new();
    for _ in 0..events {
        if waiting.len() >= RelaySettings::default().window_events {
            let oldest: Option<PublishAckFuture> = waiting.pop_front();
            oldest.context("the oldest")?.await?;
        }
        waiting.push_back(context.publish("plain.order.OrderPlaced", payload.clone()).await?);
    }
    for publish in waiting {
        publish.await?;
    }
    Ok(rate("plain publishing of the same bytes", events, "messages/s", begun))
}

/// From an append to the subscriber, one event after another.
async fn latency(
    log: &dyn EventLog,
    subscription: &mut dyn Subscription,
    head: Position,
) -> Result<Row> {
    const SAMPLES: u64 = 2_000;
    let mut times = Vec::new();
    for number in head..head + SAMPLES {
        let appended = Instant::now();
        log.append(vec![transaction(number)]).await?;
        subscription.next(1).await?;
        times.push(appended.elapsed());
    }
    Ok(Row::latency("from append to subscriber, one by one", &row::histogram(&times)))
}

/// Commands through the work queue, to a handler that does nothing.
async fn commands(
    client: &async_nats::Client,
    names: &Names,
    stop: &CancellationToken,
) -> Result<Row> {
    const COMMANDS: u64 = 20_000;
    let handled = Arc::new(Counter(watch::Sender::new(0)));
    let consumer = CommandConsumer::new(
        client.clone(),
        names.clone(),
        ConsumerSettings::default(),
        Arc::clone(&handled) as _,
        Arc::clone(&handled) as _,
    );
    tokio::spawn(consumer.run(stop.clone()));
    let queue = JetStreamQueue::new(client.clone(), names.clone());
    while queue.send(vec![command(0)]).await.is_err() {}
    let begun = Instant::now();
    for first in (1..COMMANDS).step_by(500) {
        queue.send((first..first + 500).map(command).collect()).await?;
    }
    let mut seen = handled.0.subscribe();
    seen.wait_for(|handled| *handled >= COMMANDS).await?;
    Ok(rate("commands sent, handled and acknowledged", COMMANDS, "commands/s", begun))
}

async fn published(client: &async_nats::Client, events: u64) {
    let context = async_nats::jetstream::new(client.clone());
    loop {
        if let Ok(stream) = context.get_stream(Names::default().events()).await
            && stream.cached_info().state.last_sequence >= events
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn rate(what: &str, count: u64, unit: &'static str, begun: Instant) -> Row {
    Row::rate(what, count, unit, begun.elapsed())
}

fn transaction(number: u64) -> AppendTransaction {
    let stream: StreamId = format!("order-{number}").into();
    let command_id: Arc<str> = format!("client/order-{number}").into();
    AppendTransaction {
        command_id: Arc::clone(&command_id),
        request_hash: [0; 32],
        reads: vec![(Arc::clone(&stream), 0)],
        events: vec![NewEvent {
            stream,
            event_type: "OrderPlaced".into(),
            schema_version: 1,
            payload: format!("{{\"order\":{number},\"lines\":\"{}\"}}", "x".repeat(PAYLOAD_BYTES)),
        }],
        metadata: Arc::new(Metadata {
            correlation_id: Arc::clone(&command_id),
            command_id,
            actor: "client".into(),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        answer: None,
        intents: Vec::new(),
    }
}

fn command(number: u64) -> CommandMessage {
    let command_id: Arc<str> = format!("order-{number}/reserve_stock/1").into();
    CommandMessage {
        command_id: Arc::clone(&command_id),
        body: format!("{{\"order\":{number},\"lines\":\"{}\"}}", "x".repeat(PAYLOAD_BYTES / 2)),
        correlation_id: command_id,
        causation_id: None,
        traceparent: None,
        occurred_at: DateTime::UNIX_EPOCH,
        begun: false,
    }
}

/// Counts commands.
struct Counter(watch::Sender<u64>);

impl CommandHandler for Counter {
    fn handle(&self, _message: CommandMessage) -> BoxFuture<'_, Handled> {
        self.0.send_modify(|handled| *handled += 1);
        Box::pin(async { Handled::Done })
    }
}

impl Parking for Counter {
    fn park(&self, parked: Parked) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async move { Err(parked.cause.into()) })
    }
}

/// Nothing here raises an epoch.
struct FixedEpoch(LogIdentity);

impl EpochKeeper for FixedEpoch {
    fn current(&self) -> BoxFuture<'_, Result<LogIdentity, Cause>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn raise_above<'a>(
        &'a self,
        _seen: u32,
        why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Cause>> {
        Box::pin(async move { Err(why.into()) })
    }
}
