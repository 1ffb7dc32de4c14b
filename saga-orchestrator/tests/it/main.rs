//! The orchestrator over a log in memory, with participants that decide as the domain does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod api;
mod bench;
mod clock;
mod crashes;
mod faults;
mod lost_commits;
mod plans;
mod replicas;
mod running;
mod shop;
mod silence;
mod time;
