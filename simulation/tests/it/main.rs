//! Batches of seeds, and the command itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod seeds;
mod words;
