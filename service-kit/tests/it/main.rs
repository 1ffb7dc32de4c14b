//! What every service lets in, from outside: cursors, bodies, queries and headers that nobody of ours made.
#![expect(clippy::unwrap_used, reason = "a test's mistake is a panic")]

mod access;
mod bodies;
mod body_law;
mod cursor_law;
mod cursors;
mod requests;
mod tls;
