//! The command queue: a broker that holds each command once, loses, delays, and delivers again what was not acknowledged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use command_service::participants::Participants;
use event_store::memory::MemoryLog;
use event_store::{EventLog as _, LoadRequest};
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler as _, CommandMessage, CommandQueue, Handled, QueueError};

use crate::process::Process;
use crate::trace::Trace;
use crate::violation::Violations;
use crate::weather::{Mishap, Weather};

/// What is not acknowledged in this time is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(8);
/// While nobody takes commands.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The broker.
pub(crate) struct Broker {
    weather: Arc<Weather>,
    trace: Arc<Trace>,
    /// To look whether what is acknowledged has its end there.
    log: Arc<MemoryLog>,
    violations: Arc<Violations>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: BTreeSet<Arc<str>>,
    /// Raised when everything that is held is lost.
    life: u64,
    consumers: Vec<(Arc<Process>, Arc<Participants>)>,
}

impl Broker {
    pub(crate) fn new(
        weather: Arc<Weather>,
        trace: Arc<Trace>,
        (log, violations): (Arc<MemoryLog>, Arc<Violations>),
    ) -> Arc<Self> {
        Arc::new(Self { weather, trace, log, violations, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more who takes commands.
    pub(crate) fn consume(&self, process: Arc<Process>, participants: Participants) {
        let mut state = self.state();
        state.consumers.retain(|(process, _)| !process.is_dead());
        state.consumers.push((process, Arc::new(participants)));
    }

    /// Its disk is gone, with all that it held.
    pub(crate) fn forget_everything(&self) {
        let mut state = self.state();
        state.life += 1;
        for id in std::mem::take(&mut state.held) {
            self.trace.tell(format_args!("the broker forgets {id}"));
            self.trace.happened("a command lost by the broker");
        }
    }

    /// Puts a message into the queue.
    pub(crate) fn take(self: &Arc<Self>, message: CommandMessage) {
        let id = Arc::clone(&message.command_id);
        let strikes = self.weather.strikes(Mishap::CommandLost);
        let is_late = strikes && self.weather.draw(|rng| rng.chance(400));
        if strikes && !is_late {
            self.trace.tell(format_args!("{id} is lost"));
            return self.trace.happened("a command lost by the broker");
        }
        let mut state = self.state();
        if state.held.insert(id) {
            let (broker, life) = (Arc::clone(self), state.life);
            drop(state);
            tokio::spawn(async move {
                if is_late {
                    // What was sent later overtakes it.
                    tokio::time::sleep(broker.weather.long_delay()).await;
                }
                broker.deliver(message, life).await;
            });
        }
    }

    /// Until it is acknowledged, or forgotten.
    async fn deliver(&self, message: CommandMessage, life: u64) {
        let mut deliveries = 0_u32;
        loop {
            tokio::time::sleep(self.weather.delay()).await;
            let Some((process, participants)) = self.consumer() else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            if self.state().life != life {
                return;
            }
            deliveries += 1;
            if deliveries > 1 {
                self.trace.happened("a redelivery");
            }
            let id = &message.command_id;
            self.trace.tell(format_args!("{} gets {id}, delivery {deliveries}", process.name));
            let handling = async {
                process.pass().await;
                participants.handle(message.clone()).await
            };
            let handled = tokio::time::timeout(ACK_WAIT, handling).await;
            if handled == Ok(Handled::Done) {
                self.check_end(id).await;
            }
            let wait = match handled {
                Ok(Handled::Done) if self.weather.strikes(Mishap::AckLost) => ACK_WAIT,
                Ok(Handled::Done) => {
                    let mut state = self.state();
                    if state.life == life {
                        state.held.remove(id);
                    }
                    return;
                }
                Ok(Handled::Later(wait)) => wait,
                Err(_) => Duration::ZERO,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// What is acknowledged will not be delivered again, so that its end has to be in the log.
    async fn check_end(&self, id: &Arc<str>) {
        let request = LoadRequest { commands: vec![Arc::clone(id)], ..LoadRequest::default() };
        let known = self.log.load(request).await;
        if known.is_ok_and(|known| !known.commands.contains_key(id)) {
            let statement =
                format!("`{id}` was acknowledged to the broker before its end was in the log.");
            self.violations.found("acknowledged", statement);
        }
    }

    /// One of those who take commands.
    fn consumer(&self) -> Option<(Arc<Process>, Arc<Participants>)> {
        let state = self.state();
        let alive: Vec<_> =
            state.consumers.iter().filter(|(process, _)| !process.is_dead()).collect();
        let place = self.weather.draw(|rng| rng.within(0, alive.len() as u64));
        alive.get(usize::try_from(place).ok()?).map(|one| (*one).clone())
    }
}

/// The queue as an orchestrator reaches it.
pub(crate) struct BrokerAccess {
    pub(crate) broker: Arc<Broker>,
    pub(crate) process: Arc<Process>,
}

impl CommandQueue for BrokerAccess {
    fn send(&self, messages: Vec<CommandMessage>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            self.process.hop(&self.broker.weather).await;
            for message in messages {
                if self.broker.weather.strikes(Mishap::QueueRefuses) {
                    return Err(QueueError("the broker does not answer".into()));
                }
                self.broker.take(message);
            }
            Ok(())
        })
    }
}
