//! The JetStream backend keeps the promises of the contracts on a real nats-server, whatever becomes of its store.

#![expect(clippy::unwrap_used, reason = "a fixture that can not be made fails its test")]

mod any_moment;
mod broker_amnesia;
mod commands;
mod conformance;
mod history;
mod log;
mod platform;
mod reader;
mod relay;
mod services;
mod tls;
