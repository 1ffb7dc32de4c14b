//! What happened, in order: a hash that two runs of a seed have in common, the lines of it for people, and what happened at
//! least once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The things that a simulation must have seen to have tested anything.
pub const SOMETIMES: [&str; 40] = [
    "an optimistic conflict",
    "a dedupe hit",
    "an append of unknown outcome",
    "an append that came late",
    "an append that was given up and never came",
    "a takeover of the log, and the old writer refused",
    "a crash of the command-service",
    "a crash between intent and outcome",
    "a crash of an orchestrator",
    "a takeover of the sagas",
    "commits of the sagas lost by their database",
    "a commit of the sagas of unknown outcome",
    "a redelivery",
    "a command lost by the broker",
    "a command parked",
    "a compensation",
    "a payment outcome unknown that turned out",
    "a call that reached the provider late",
    "a saga that needed attention",
    "a return that was paid back",
    "a cancellation after the pivot",
    "a relay fenced",
    "a stream that was no copy, rebuilt",
    "an epoch raised",
    "a lost stream created anew",
    "a stream that went back",
    "a reader behind the oldest message",
    "a hole in the middle filled",
    "a hole at the tail noticed",
    "a stray message passed over",
    "a message of the stream that came twice",
    "a crash of the projectors",
    "a crash of the projectors in the middle of a batch",
    "a takeover of the read models",
    "commits of the read models lost by their database",
    "a batch of a projector that failed",
    "a commit of a projector of unknown outcome",
    "a key of a read model parked",
    "a parked key replayed",
    "a replay that came too early",
];

/// The record of a run.
pub(crate) struct Trace {
    began: Instant,
    told: Mutex<Told>,
}

struct Told {
    hash: u64,
    lines: Option<Vec<String>>,
    count: u64,
    happened: BTreeMap<&'static str, u64>,
}

impl Trace {
    /// An empty one; keeps its lines if anybody wants to read them.
    pub(crate) fn new(keep_lines: bool) -> Self {
        let (hash, lines) = (0xcbf2_9ce4_8422_2325, keep_lines.then(Vec::new));
        let told = Told { hash, lines, count: 0, happened: BTreeMap::new() };
        Self { began: Instant::now(), told: Mutex::new(told) }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the run has lasted by its own clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Adds what happened.
    pub(crate) fn tell(&self, what: std::fmt::Arguments<'_>) {
        let mut line = format!("{:>10.3} ", self.elapsed().as_secs_f64());
        // Writing to a text can't fail.
        let _written = line.write_fmt(what);
        let mut told = self.told();
        told.hash = line
            .bytes()
            .fold(told.hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        told.count += 1;
        if let Some(lines) = &mut told.lines {
            lines.push(line);
        }
    }

    /// Something of interest happened.
    pub(crate) fn happened(&self, what: &'static str) {
        debug_assert!(SOMETIMES.contains(&what), "{what}");
        *self.told().happened.entry(what).or_default() += 1;
    }

    /// Hash, number of lines, what happened, and the lines.
    pub(crate) fn summary(&self) -> (u64, u64, BTreeMap<&'static str, u64>, Vec<String>) {
        let told = self.told();
        (told.hash, told.count, told.happened.clone(), told.lines.clone().unwrap_or_default())
    }
}
