//! How rough it is: how often things go wrong by themselves, beside the faults of the plan.
//!
//! **Invariant:** once it is calm nothing goes wrong any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rng::Rng;

/// What may go wrong at any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// A call of the log never gets there.
    LogUnreached,
    /// The log does what it was asked, and its answer is lost.
    LogAnswerLost,
    /// The log does what it was asked after its caller gave up.
    LogLate,
    /// A command message is lost.
    CommandLost,
    /// The queue does not hear that a command was handled.
    AckLost,
    /// The queue takes nothing for a moment.
    QueueRefuses,
    /// A page of the feed can't be read.
    FeedFails,
    /// A call never reaches the provider.
    ProviderUnreached,
    /// The provider's answer is lost.
    ProviderAnswerLost,
    /// A call reaches the provider after its caller gave up.
    ProviderLate,
    /// The sagas' database fails before the commit.
    DiskFails,
    /// The sagas' database commits and fails to say so.
    DiskAnswerLost,
    /// The read models' database fails before the commit.
    ModelDiskFails,
    /// The read models' database commits and fails to say so.
    ModelDiskAnswerLost,
    /// An event never gets to its broker.
    EventLost,
    /// The broker of events takes one, and its answer is lost.
    EventAckLost,
    /// The broker of events does not answer, or its answer is lost.
    BrokerSilent,
    /// A message of the stream comes twice.
    MessageRepeated,
    /// A question, an answer or an announcement is lost.
    WordLost,
}

const MISHAPS: usize = 19;

/// In three of ten runs that are rough, appends that come late come at the worst moment.
pub(crate) fn has_meetings(seed: u64) -> bool {
    Rng::new(seed, "meetings").chance(300)
}

/// The rates of one run, and its dice.
pub(crate) struct Weather {
    rates: [u64; MISHAPS],
    /// The longest that a hop usually takes.
    slowest_ms: u64,
    has_meetings: bool,
    calm: AtomicBool,
    /// What goes wrong at every call, and until when.
    broken: Mutex<Vec<(Mishap, Instant)>>,
    dice: Mutex<Rng>,
}

impl Weather {
    /// Of this seed. Most runs have a few mishaps that are frequent and others that never happen.
    pub(crate) fn new(seed: u64, is_rough: bool) -> Self {
        let mut rng = Rng::new(seed, "rates");
        let mut rates = [0; MISHAPS];
        if is_rough {
            for rate in &mut rates {
                *rate = rng.pick(&[0, 0, 10, 40, 120]).unwrap_or_default();
            }
        }
        let slowest_ms = rng.pick(&[2, 20, 200]).unwrap_or(20);
        let has_meetings = is_rough && has_meetings(seed);
        if has_meetings {
            rates[Mishap::LogLate as usize] = 120;
        }
        let (calm, broken) = (AtomicBool::new(false), Mutex::default());
        let dice = Mutex::new(Rng::new(seed, "weather"));
        Self { rates, slowest_ms, has_meetings, calm, broken, dice }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Whether appends that come late come at the worst moment, now and then.
    pub(crate) fn has_meetings(&self) -> bool {
        self.has_meetings
    }

    /// Whether this goes wrong now.
    pub(crate) fn strikes(&self, mishap: Mishap) -> bool {
        if self.is_broken(mishap) {
            return !self.is_calm();
        }
        let rate = self.rates.get(mishap as usize).copied().unwrap_or_default();
        !self.is_calm() && rate > 0 && self.draw(|rng| rng.chance(rate))
    }

    /// For so long this goes wrong at every call.
    pub(crate) fn breaks(&self, mishap: Mishap, time: Duration) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.push((mishap, Instant::now() + time));
    }

    fn is_broken(&self, mishap: Mishap) -> bool {
        let now = Instant::now();
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.retain(|(_, until)| *until > now);
        broken.iter().any(|(what, _)| *what == mishap)
    }

    /// How long a hop takes.
    pub(crate) fn delay(&self) -> Duration {
        let slowest = self.slowest_ms;
        Duration::from_micros(self.draw(|rng| {
            // Now and then much longer, so that what was sent later overtakes.
            let slowest = if rng.chance(30) { slowest * 20 } else { slowest };
            rng.within(50, slowest * 1_000)
        }))
    }

    /// Longer than anybody waits for an answer.
    pub(crate) fn long_delay(&self) -> Duration {
        Duration::from_millis(self.draw(|rng| rng.within(1_000, 12_000)))
    }

    /// A part of a second.
    pub(crate) fn moment(&self) -> Duration {
        Duration::from_millis(self.draw(|rng| rng.within(10, 180)))
    }

    /// Longer than a processor sends one batch again, and shorter than a late call may take.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_millis(self.draw(|rng| rng.within(4_500, 7_000)))
    }

    /// Draws.
    pub(crate) fn draw<R>(&self, draw: impl FnOnce(&mut Rng) -> R) -> R {
        draw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
