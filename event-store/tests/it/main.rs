//! The backends against the conformance suites, and against each other.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod differential;
mod memory;
mod postgres;
mod sqlite;
mod vault;
