//! The service over a log in memory, with receivers that answer as receivers do.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod api;
mod bench;
mod broken;
mod clocks;
mod egress;
mod histories;
mod log;
mod lost_commits;
mod mail;
mod mail_bench;
mod mail_trouble;
mod notices;
mod once;
mod plans;
mod public_events;
mod receiver;
mod recorded;
mod silenced;
mod storage;
mod streams;
mod telling;
mod tls;
mod troubles;
mod unreached;
