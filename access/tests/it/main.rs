//! Tokens as they come: good ones, and every bad one that is known.
#![expect(clippy::unwrap_used, reason = "a test's mistake is a panic")]

mod bad_tokens;
mod good_tokens;
mod issuers;
mod rotation;
mod settings;
mod signing;
mod subjects;
