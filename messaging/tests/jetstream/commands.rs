//! Commands on their way: never lost for good, never acknowledged early.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use chrono::DateTime;
use event_store::EventLog as _;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, CommandQueue, Handled};
use messaging::jetstream::{
    CommandConsumer, ConsumerSettings, EpochKeeper as _, JetStreamQueue, Names, OwnedLog, Parked,
    Parking,
};
use test_servers::Nats;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log::TestLog;
use crate::platform::{Owner, PATIENCE, client, settings, until};

/// Keeps what is parked.
#[derive(Default)]
pub(crate) struct Shelf(watch::Sender<Vec<Parked>>);

impl Parking for Shelf {
    fn park(
        &self,
        parked: Parked,
    ) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        self.0.send_modify(|shelf| shelf.push(parked));
        Box::pin(async { Ok(()) })
    }
}

/// Remembers the commands that it carried out; ends none of them while it is told to hold on to them.
#[derive(Default)]
struct Participant {
    begun: watch::Sender<Vec<Arc<str>>>,
    done: watch::Sender<Vec<Arc<str>>>,
    holds: watch::Sender<bool>,
}

impl CommandHandler for Participant {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        Box::pin(async move {
            self.begun.send_modify(|begun| begun.push(Arc::clone(&message.command_id)));
            let _ = self.holds.subscribe().wait_for(|holds| !holds).await;
            self.done.send_modify(|done| done.push(message.command_id));
            Handled::Done
        })
    }
}

impl Participant {
    async fn has_done(&self, what: &str, enough: impl FnMut(&Vec<Arc<str>>) -> bool) {
        let mut done = self.done.subscribe();
        let waited = tokio::time::timeout(PATIENCE, done.wait_for(enough)).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.done.borrow());
    }
}

struct Desk {
    queue: JetStreamQueue,
    participant: Arc<Participant>,
    consumer: JoinHandle<()>,
    shelf: Arc<Shelf>,
    client: Client,
    nats: Nats,
}

impl Desk {
    async fn open(ack_wait: Duration) -> Option<Self> {
        let nats = test_servers::nats()?;
        let client = client(&nats.url()).await;
        let (participant, shelf) = (Arc::new(Participant::default()), Arc::new(Shelf::default()));
        let names = Names::default();
        let queue = JetStreamQueue::new(client.clone(), names);
        let consumer = tokio::spawn(async {});
        let mut desk = Self { queue, participant, consumer, shelf, client, nats };
        desk.consumer = desk.consume(ack_wait);
        Some(desk)
    }

    /// Begins to hand messages to the participant, for as long as the test runs.
    fn consume(&self, ack_wait: Duration) -> JoinHandle<()> {
        tokio::spawn(self.consumer_of(ack_wait).run(CancellationToken::new()))
    }

    fn consumer_of(&self, ack_wait: Duration) -> CommandConsumer {
        CommandConsumer::new(
            self.client.clone(),
            Names::default(),
            ConsumerSettings { ack_wait, ..ConsumerSettings::default() },
            Arc::clone(&self.participant) as _,
            Arc::clone(&self.shelf) as _,
        )
    }

    /// Sends until it is taken, as an outbox does.
    async fn send(&self, id: &str) {
        until(&format!("{id} is taken"), || async {
            self.queue.send(vec![message(id)]).await.is_ok()
        })
        .await;
    }

    /// The same, made of this epoch of the log.
    async fn send_in(&self, epoch: u32, id: &str) {
        until(&format!("{id} is taken"), || async {
            self.queue.send_in(epoch, vec![message(id)]).await.is_ok()
        })
        .await;
    }
}

fn message(id: &str) -> CommandMessage {
    CommandMessage {
        command_id: id.into(),
        body: "{\"a\": 1}".to_owned(),
        correlation_id: "all".into(),
        causation_id: Some("event".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        occurred_at: DateTime::UNIX_EPOCH,
        begun: false,
    }
}

#[tokio::test]
async fn p9_commands_that_were_lost_with_the_broker_are_carried_out_when_sent_again() {
    let Some(mut desk) = Desk::open(Duration::from_secs(5)).await else { return };
    desk.send("order/1").await;
    desk.participant.has_done("the first", |done| done.contains(&"order/1".into())).await;
    desk.nats.kill().unwrap();
    desk.nats.wipe().unwrap();
    assert!(desk.queue.send(vec![message("order/2")]).await.is_err(), "nobody took it");
    desk.nats.start_again().unwrap();
    desk.send("order/2").await;
    desk.participant.has_done("the second", |done| done.contains(&"order/2".into())).await;
}

#[tokio::test]
async fn p9_what_was_made_of_a_history_that_has_ended_is_not_carried_out() {
    let Some(mut desk) = Desk::open(Duration::from_secs(5)).await else { return };
    desk.consumer.abort();
    let log = TestLog::of(1);
    let before = log.identity().epoch;
    log.raise_above(before, "it was put back to a backup").await.unwrap();
    let owned = OwnedLog::new(Arc::clone(&log) as _, log as _);
    let consumer = desk.consumer_of(Duration::from_secs(5)).of_log(Arc::clone(&owned));
    desk.consumer = tokio::spawn(consumer.run(CancellationToken::new()));
    desk.send_in(before, "of an order that was never placed").await;
    desk.send_in(before + 1, "new").await;
    assert!(desk.participant.begun.borrow().is_empty(), "nobody knows yet which history it is");

    let stop = CancellationToken::new();
    Owner::start_over(&desk.client, &owned, settings(), &stop);
    desk.participant.has_done("the new one", |done| done.contains(&"new".into())).await;
    let context = async_nats::jetstream::new(desk.client.clone());
    let stream = context.get_stream("COMMANDS").await.unwrap();
    until("the queue is empty", || async { stream.get_info().await.unwrap().state.messages == 0 })
        .await;
    assert_eq!(*desk.participant.begun.borrow(), ["new".into()]);
}

#[tokio::test]
async fn p9_a_purged_command_can_be_sent_again_at_once() {
    let Some(mut desk) = Desk::open(Duration::from_secs(5)).await else { return };
    desk.send("first").await;
    desk.participant.has_done("the first", |done| done.len() == 1).await;
    // Nobody takes messages while these are purged.
    desk.consumer.abort();
    let context = async_nats::jetstream::new(desk.client.clone());
    let stream = context.get_stream("COMMANDS").await.unwrap();
    let waiting = async || stream.get_info().await.unwrap().state.messages;
    for number in 0..200 {
        desk.send(&format!("purged-{number}")).await;
    }
    stream.purge().await.unwrap();
    assert_eq!(waiting().await, 0);
    for number in 0..200 {
        desk.send(&format!("purged-{number}")).await;
    }
    assert_eq!(waiting().await, 200);
    desk.consumer = desk.consume(Duration::from_secs(5));
    let all = |done: &Vec<Arc<str>>| {
        (0..200).all(|number| done.contains(&format!("purged-{number}").into()))
    };
    desk.participant.has_done("all of them", all).await;
}

#[tokio::test]
async fn a_slow_command_is_not_delivered_a_second_time() {
    let Some(desk) = Desk::open(Duration::from_secs(2)).await else { return };
    let mut acks = desk.client.subscribe("$JS.ACK.COMMANDS.>").await.unwrap();
    desk.participant.holds.send_replace(true);
    desk.send("slow").await;
    let mut asked_for_time = 0;
    // Three of them are as long as the server waits for an answer.
    while asked_for_time < 6 {
        let ack = tokio::time::timeout(PATIENCE, acks.next()).await.unwrap().unwrap();
        asked_for_time += u32::from(&*ack.payload == b"+WPI");
    }
    desk.participant.holds.send_replace(false);
    desk.participant.has_done("it is done", |done| done.len() == 1).await;
    desk.send("other").await;
    desk.participant.has_done("another one", |done| done.contains(&"other".into())).await;
    assert_eq!(*desk.participant.begun.borrow(), ["slow".into(), "other".into()]);
}

#[tokio::test]
async fn p9_what_a_killed_participant_held_goes_to_the_next_one() {
    let Some(mut desk) = Desk::open(Duration::from_secs(1)).await else { return };
    desk.participant.holds.send_replace(true);
    for number in 0..10 {
        desk.send(&format!("order/{number}")).await;
    }
    let mut begun = desk.participant.begun.subscribe();
    let all = tokio::time::timeout(PATIENCE, begun.wait_for(|begun| begun.len() == 10)).await;
    assert!(all.is_ok(), "all are in its hands");
    desk.consumer.abort();
    desk.participant = Arc::new(Participant::default());
    desk.consumer = desk.consume(Duration::from_secs(1));
    let all = |done: &Vec<Arc<str>>| {
        (0..10).all(|number| done.contains(&format!("order/{number}").into()))
    };
    desk.participant.has_done("the next one does all of them", all).await;
}

#[tokio::test]
async fn what_is_no_command_is_parked_with_its_cause_and_leaves_the_queue() {
    let Some(desk) = Desk::open(Duration::from_secs(5)).await else { return };
    desk.send("first").await;
    let stray = desk.client.publish("docket.commands.stray", "hello".into());
    stray.await.unwrap();
    let mut shelf = desk.shelf.0.subscribe();
    let parked = tokio::time::timeout(PATIENCE, shelf.wait_for(|shelf| shelf.len() == 1)).await;
    let parked = parked.unwrap().unwrap()[0].clone();
    assert_eq!((&parked.subject[..], &parked.body[..]), ("docket.commands.stray", &b"hello"[..]));
    assert!(!parked.cause.is_empty());
    let streams = async_nats::jetstream::new(desk.client.clone());
    until("the queue is empty", || async {
        let stream = streams.get_stream("COMMANDS").await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 0)
    })
    .await;
}
