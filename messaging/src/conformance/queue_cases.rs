//! What a command queue promises.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, watch};

use crate::commands::{CommandHandler, CommandMessage, CommandQueue, Handled};

/// Longer than anything here takes: a case that waits for ever fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages that the queue under test may hold, and calls that it may make at once: what `$open` has to set.
pub const CAPACITY: usize = 8;
/// See [`CAPACITY`].
pub const CONCURRENCY: usize = 3;

/// What a handler does with a message, chosen by how its id begins.
///
/// `panic…` panics at the first delivery, `later…` asks for a second one, `hold…` waits until it is let go; everything
/// else is done at once.
pub struct ScriptedHandler {
    calls: watch::Sender<HashMap<Arc<str>, usize>>,
    running: Mutex<(usize, usize)>,
    gate: Semaphore,
}

impl Default for ScriptedHandler {
    fn default() -> Self {
        Self { calls: watch::Sender::default(), running: Mutex::default(), gate: Semaphore::new(0) }
    }
}

impl ScriptedHandler {
    fn calls_of(&self, id: &str) -> usize {
        self.calls.borrow().get(id).copied().unwrap_or_default()
    }

    fn most_at_once(&self) -> usize {
        self.running.lock().unwrap().1
    }

    fn let_go(&self) {
        self.gate.add_permits(1000);
    }

    async fn called(&self, what: &str, enough: impl Fn(&HashMap<Arc<str>, usize>) -> bool) {
        let mut calls = self.calls.subscribe();
        let waited = tokio::time::timeout(PATIENCE, calls.wait_for(enough)).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.calls.borrow());
    }

    fn enter(&self, id: &Arc<str>) -> usize {
        let mut running = self.running.lock().unwrap();
        running.0 += 1;
        running.1 = running.1.max(running.0);
        drop(running);
        self.calls.send_modify(|calls| *calls.entry(Arc::clone(id)).or_default() += 1);
        self.calls_of(id)
    }
}

impl CommandHandler for ScriptedHandler {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        Box::pin(async move {
            let call = self.enter(&message.command_id);
            let _running = Running(&self.running);
            if message.command_id.starts_with("hold") {
                self.gate.acquire().await.unwrap().forget();
            }
            tokio::task::yield_now().await;
            assert!(!(message.command_id.starts_with("panic") && call == 1), "as scripted");
            if message.command_id.starts_with("later") && call == 1 {
                return Handled::Later(Duration::from_millis(1));
            }
            Handled::Done
        })
    }
}

struct Running<'r>(&'r Mutex<(usize, usize)>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

/// A queue, and the handler behind it.
pub struct QueueUnderTest {
    /// The sender's end, with [`CAPACITY`] and [`CONCURRENCY`].
    pub queue: Arc<dyn CommandQueue>,
    /// The participant's end.
    pub handler: Arc<ScriptedHandler>,
    /// Whatever has to live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl QueueUnderTest {
    /// Sends until the queue takes it, as an outbox does.
    async fn send(&self, id: &str) {
        while self.queue.send(vec![message(id)]).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}

fn message(id: &str) -> CommandMessage {
    CommandMessage {
        command_id: id.into(),
        body: "{}".to_owned(),
        correlation_id: id.into(),
        causation_id: None,
        traceparent: None,
        occurred_at: DateTime::UNIX_EPOCH,
        begun: false,
    }
}

/// What is sent is handled, also when it is far more than the queue holds and the sender has to come again.
pub async fn every_message_is_handled(t: QueueUnderTest) {
    for number in 0..200 {
        t.send(&format!("message-{number}")).await;
    }
    t.handler.called("200 messages are handled", |calls| calls.len() == 200).await;
}

/// The handler gets the message as it was sent.
pub async fn messages_of_one_call_are_all_handled(t: QueueUnderTest) {
    t.queue.send((0..5).map(|number| message(&format!("m-{number}"))).collect()).await.unwrap();
    t.handler.called("5 messages are handled", |calls| calls.len() == 5).await;
}

/// A message that the handler can't take now comes again.
pub async fn a_message_for_later_comes_again(t: QueueUnderTest) {
    t.send("later-1").await;
    t.handler.called("a second delivery", |calls| calls.get("later-1") == Some(&2)).await;
}

/// A panic costs that delivery only: others go on, and the same message can be sent again.
pub async fn a_handler_that_panics_does_not_stop_the_queue(t: QueueUnderTest) {
    for number in 0..2 * CONCURRENCY {
        t.send(&format!("panic-{number}")).await;
    }
    t.send("other").await;
    t.handler.called("the queue goes on", |calls| calls.contains_key("other")).await;
    while t.handler.calls_of("panic-0") < 2 {
        t.send("panic-0").await;
        tokio::task::yield_now().await;
    }
}

/// No more calls at once than it was told.
pub async fn calls_at_once_are_bounded(t: QueueUnderTest) {
    for number in 0..CAPACITY {
        t.send(&format!("hold-{number}")).await;
    }
    t.handler.called("some run", |calls| calls.len() == CONCURRENCY).await;
    t.handler.let_go();
    t.handler.called("all run", |calls| calls.len() == CAPACITY).await;
    assert!(t.handler.most_at_once() <= CONCURRENCY, "{}", t.handler.most_at_once());
}

/// A full queue says so, and takes messages again when there is room.
pub async fn a_full_queue_refuses(t: QueueUnderTest) {
    for number in 0..CAPACITY {
        t.queue.send(vec![message(&format!("hold-{number}"))]).await.unwrap();
    }
    assert!(t.queue.send(vec![message("one-more")]).await.is_err());
    t.handler.let_go();
    t.send("one-more").await;
    t.handler.called("it is handled", |calls| calls.contains_key("one-more")).await;
}

/// A repeat of a message that is on its way is dropped.
pub async fn a_repeat_on_its_way_is_dropped(t: QueueUnderTest) {
    for _ in 0..2 * CAPACITY {
        t.queue.send(vec![message("hold-1")]).await.unwrap();
    }
    t.handler.let_go();
    t.send("other").await;
    t.handler.called("the queue goes on", |calls| calls.contains_key("other")).await;
    assert_eq!(t.handler.calls_of("hold-1"), 1);
}

/// One `#[tokio::test]` per promise of a queue; `$open` is an async function that gives a fresh
/// [`QueueUnderTest`](crate::conformance::queue_cases::QueueUnderTest), or an `Option` of one: `None` when the server that
/// it needs is not there.
#[macro_export]
macro_rules! queue_conformance_suite {
    ($open:path) => {
        $crate::queue_conformance_suite! { $open:
            every_message_is_handled,
            messages_of_one_call_are_all_handled,
            a_message_for_later_comes_again,
            a_handler_that_panics_does_not_stop_the_queue,
            calls_at_once_are_bounded,
            a_full_queue_refuses,
            a_repeat_on_its_way_is_dropped
        }
    };
    ($open:path: $($case:ident),+) => { $(
        #[tokio::test]
        async fn $case() {
            let opened: Option<$crate::conformance::queue_cases::QueueUnderTest> =
                $crate::conformance::opened($open).await;
            if let Some(opened) = opened {
                $crate::conformance::queue_cases::$case(opened).await;
            }
        }
    )+ };
}
