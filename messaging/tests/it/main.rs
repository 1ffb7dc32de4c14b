//! Messages that nobody of ours sent.
#![expect(clippy::unwrap_used, reason = "a test's mistake is a panic")]

mod commands;
mod envelope_law;
mod envelopes;
