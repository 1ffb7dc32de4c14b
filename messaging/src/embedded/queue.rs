//! The command queue of one process: a message is a call to the handler, with bounded concurrency.
//!
//! What was begun goes before what begins something: under a flood orders get done one after another, instead of all being half
//! done at the same time.
//!
//! **Invariant:** a message is held at most once at a time and in memory only; whatever ends early is sent again by its
//! sender.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::commands::{CommandHandler, CommandMessage, CommandQueue, Handled, QueueError};

/// How much the queue takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// Calls of the handler at the same time.
    pub concurrency: usize,
    /// Messages held in all: waiting for their turn, being handled, or waiting to be delivered again.
    pub capacity: usize,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { concurrency: 256, capacity: 16_384 }
    }
}

/// Why messages were not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{capacity} messages are held already")]
    Full { capacity: usize },
    #[error("the queue is shut down")]
    ShutDown,
}

impl From<Refused> for QueueError {
    fn from(cause: Refused) -> Self {
        Self(Box::new(cause))
    }
}

/// Hands messages to the handler of the same process.
pub struct EmbeddedQueue {
    begun: UnboundedSender<CommandMessage>,
    beginning: UnboundedSender<CommandMessage>,
    desk: Arc<Desk>,
    tasks: TaskTracker,
}

/// The dispatcher's end.
struct Waiting {
    begun: UnboundedReceiver<CommandMessage>,
    beginning: UnboundedReceiver<CommandMessage>,
}

impl Waiting {
    async fn next(&mut self) -> Option<CommandMessage> {
        tokio::select! {
            biased;
            message = self.begun.recv() => message,
            message = self.beginning.recv() => message,
        }
    }
}

impl EmbeddedQueue {
    /// Starts a queue in front of this handler.
    pub fn new(handler: Arc<dyn CommandHandler>, settings: QueueSettings) -> Self {
        // Unbounded by itself: the desk holds no more ids than its capacity, and a message without one never gets here.
        let (begun, waiting_begun) = unbounded_channel();
        let (beginning, waiting_beginning) = unbounded_channel();
        let waiting = Waiting { begun: waiting_begun, beginning: waiting_beginning };
        let desk = Arc::new(Desk {
            handler,
            turns: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            capacity: settings.capacity.max(1),
            held: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(dispatch(Arc::clone(&desk), waiting, tasks.clone()));
        Self { begun, beginning, desk, tasks }
    }

    /// Messages that are held now.
    pub fn len(&self) -> usize {
        self.desk.held().len()
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes no more messages, lets the running calls end, and forgets what waits: its sender sends it again.
    pub async fn shutdown(&self) {
        self.desk.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for EmbeddedQueue {
    fn drop(&mut self) {
        self.desk.stop.cancel();
    }
}

impl CommandQueue for EmbeddedQueue {
    fn send(&self, messages: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            for message in messages {
                if self.desk.take_in(&message.command_id)? {
                    let way = if message.begun { &self.begun } else { &self.beginning };
                    way.send(message).map_err(|_| Refused::ShutDown)?;
                }
            }
            Ok(())
        })
    }
}

/// What the dispatcher and the calls share.
struct Desk {
    handler: Arc<dyn CommandHandler>,
    turns: Arc<Semaphore>,
    capacity: usize,
    held: Mutex<HashSet<Arc<str>>>,
    stop: CancellationToken,
}

impl Desk {
    fn held(&self) -> MutexGuard<'_, HashSet<Arc<str>>> {
        // A set of ids is whole after any panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when the message is new; one that is held already is on its way, so a repeat says nothing new.
    fn take_in(&self, id: &Arc<str>) -> Result<bool, Refused> {
        if self.stop.is_cancelled() {
            return Err(Refused::ShutDown);
        }
        let mut held = self.held();
        if held.contains(id) {
            return Ok(false);
        }
        if held.len() >= self.capacity {
            return Err(Refused::Full { capacity: self.capacity });
        }
        Ok(held.insert(Arc::clone(id)))
    }

    /// The next turn to call the handler; `None` at shutdown.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turns = Arc::clone(&self.turns);
        self.stop.run_until_cancelled(turns.acquire_owned()).await?.ok()
    }
}

/// Forgets an id, whatever way its call ended.
struct Held {
    desk: Arc<Desk>,
    id: Arc<str>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.desk.held().remove(&self.id);
    }
}

async fn dispatch(desk: Arc<Desk>, mut waiting: Waiting, tasks: TaskTracker) {
    while let Some(turn) = desk.turn().await {
        let Some(Some(message)) = desk.stop.run_until_cancelled(waiting.next()).await else {
            return;
        };
        let held = Held { desk: Arc::clone(&desk), id: Arc::clone(&message.command_id) };
        tasks.spawn(carry_out(held, message, turn));
    }
}

/// Calls the handler until it is done with the message. It gives its turn back while the message waits.
async fn carry_out(held: Held, message: CommandMessage, mut turn: OwnedSemaphorePermit) {
    let desk = &held.desk;
    loop {
        let call = async { desk.handler.handle(message.clone()).await };
        let wait = match AssertUnwindSafe(call).catch_unwind().await {
            Ok(Handled::Done) => return,
            Ok(Handled::Later(wait)) => wait,
            Err(_panic) => {
                tracing::error!(command_id = %held.id, "the handler of a command panicked; it will be sent again");
                return;
            }
        };
        drop(turn);
        let slept = desk.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        let Some(next) = (match slept {
            Some(()) => desk.turn().await,
            None => None,
        }) else {
            return;
        };
        turn = next;
    }
}
