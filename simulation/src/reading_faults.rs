//! What breaks for those who read the log: the broker of events, the projectors and their database. Drawn apart from the
//! rest, so that neither disturbs the other.

use std::time::Duration;

use crate::plan::{BEGINS, ROUGH, millis};
use crate::ports::Stray;
use crate::rng::Rng;

/// What becomes of the broker of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFault {
    /// It can't be reached.
    Away(Duration),
    /// It loses its disk, and comes back after this time.
    Wiped(Duration),
    /// It comes back with a stream as it was before.
    GoesBack(u64, Duration),
    /// It comes back without this many messages that it said it had.
    ForgetsTail(u64, Duration),
    /// So many messages of the stream are deleted, so far back from its end.
    Loses { back: u64, count: u64 },
    /// All messages of the stream are deleted.
    Purged,
    /// Somebody publishes to the stream by hand.
    GetsStray(Stray),
}

/// What becomes of the projectors and their database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelFault {
    /// The projectors are killed and started again after this time.
    Crash(Duration),
    /// Another process takes the read models over while the first one sleeps for this time.
    TakeOver(Duration),
    /// Their database crashes, and every model loses this many commits.
    LoseCommits(usize),
    /// They are of a build that can't read some of what is written now, until they are upgraded after this time.
    OldBuild(Duration),
}

/// In two of three runs processes are apart; their broker retains little, or more than there ever is.
pub(crate) fn retained(seed: u64) -> Option<u64> {
    let mut rng = Rng::new(seed, "distribution");
    let retained = rng.pick(&[8, 40, 100_000]);
    retained.filter(|_| rng.chance(667))
}

pub(crate) fn event_faults(seed: u64) -> Vec<(Duration, EventFault)> {
    let mut rng = Rng::new(seed, "faults of events");
    let count = rng.within(0, 8);
    (0..count)
        .map(|_| {
            let (at, time) = moment(&mut rng);
            let fault = match rng.within(0, 13) {
                0 => EventFault::Away(time),
                1 => EventFault::Wiped(time),
                2 | 3 => EventFault::GoesBack(rng.within(0, 100), time),
                4 => EventFault::ForgetsTail(rng.within(1, 20), time),
                5 | 6 => EventFault::Loses { back: 0, count: rng.within(1, 4) },
                7 | 8 => EventFault::Loses { back: rng.within(1, 20), count: rng.within(1, 9) },
                9 => EventFault::Purged,
                10 => EventFault::GetsStray(Stray::Deleted),
                11 => EventFault::GetsStray(Stray::Misplaced),
                _ => EventFault::GetsStray(Stray::Nonsense),
            };
            (at, fault)
        })
        .collect()
}

pub(crate) fn model_faults(seed: u64) -> Vec<(Duration, ModelFault)> {
    let mut rng = Rng::new(seed, "faults of models");
    let count = rng.within(0, 5);
    let faults = (0..count)
        .map(|_| {
            let (at, time) = moment(&mut rng);
            let fault = match rng.within(0, 4) {
                0 | 1 => ModelFault::Crash(time),
                2 => ModelFault::TakeOver(time),
                _ => ModelFault::LoseCommits(usize::try_from(rng.within(1, 6)).unwrap_or(1)),
            };
            (at, fault)
        })
        .collect::<Vec<_>>();
    faults.into_iter().chain(old_build(seed)).collect()
}

/// In one of four runs.
fn old_build(seed: u64) -> Option<(Duration, ModelFault)> {
    let mut rng = Rng::new(seed, "old build");
    let (at, _) = moment(&mut rng);
    let time = Duration::from_millis(rng.within(2_000, millis(ROUGH)));
    let time = time.min(ROUGH.saturating_sub(at));
    rng.chance(250).then_some((at, ModelFault::OldBuild(time)))
}

/// When, and for how long.
fn moment(rng: &mut Rng) -> (Duration, Duration) {
    let at = Duration::from_millis(rng.within(millis(BEGINS), millis(ROUGH)));
    (at, Duration::from_millis(rng.within(10, 8_000)))
}
