//! What is promised on SQLite is promised on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod home;
mod lease;
mod store;
