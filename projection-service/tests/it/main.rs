//! The projection service over a log in memory and the embedded feed.
#![expect(clippy::unwrap_used, reason = "a test's mistake is a panic")]

mod crash;
mod customers;
mod damage;
mod folds;
mod hostile;
mod lost_commits;
mod memory;
mod notes;
mod old_head;
mod parking;
mod place;
mod plans;
mod positions;
mod queries;
mod reasons;
mod rebuild;
mod replicas;
mod rollback;
mod shop;
mod tampered;
