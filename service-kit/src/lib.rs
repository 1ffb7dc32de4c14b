//! What every service shares: who asks, time, problem+json, checked input, paging, positions, health, metrics, connections and TLS, shutdown.
//!
//! **Invariant:** nothing here knows orders, events or a database; a service's behaviour is its own.

pub mod access;
pub mod answers;
pub mod asked;
pub mod browsers;
pub mod business_time;
pub mod clock;
pub mod dependency;
pub mod described;
pub mod extract;
pub mod freshness;
mod gather;
pub mod generations;
pub mod health;
pub mod hear_out;
pub mod hearing;
pub mod host;
pub mod http;
pub mod idempotency;
pub mod metrics;
mod mistakes;
mod objects;
pub mod operations;
pub mod operator;
pub mod page;
pub mod position;
pub mod problem;
mod query;
pub mod responses;
pub mod server;
pub mod service_token;
pub mod shares;
pub mod shutdown;
pub mod stale;
pub mod telemetry;
pub mod tls;
pub mod trace;
mod twice;
pub mod valve;
pub mod watched;
