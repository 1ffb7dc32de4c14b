//! Real servers for tests: found, started, stopped. Knows nothing of Docket.
//!
//! **Invariant:** a server and its folder are gone when its owner is dropped, and also when the process that started
//! it was killed.

mod absent;
mod aiosmtpd;
#[cfg(feature = "certificates")]
mod authority;
mod binaries;
mod certificate;
mod database;
mod localstripe;
mod nats;
mod nats_binary;
mod nats_cluster;
mod nats_configuration;
mod port;
mod postgres;
mod proxy;
mod python;
mod query;
mod supervised;
mod unprivileged;

pub use absent::{REQUIRED_VARIABLE, is_required, skipped};
pub use aiosmtpd::{SmtpServer, SmtpSettings, smtp_server};
#[cfg(feature = "certificates")]
pub use authority::{Authority, Usage, self_signed};
pub use binaries::postgres as postgres_programs;
pub use certificate::Certificate;
pub use database::{Database, POSTGRES_VARIABLE, database};
pub use localstripe::{LocalStripe, localstripe};
pub use nats::{Nats, nats, nats_of, nats_with_config, nats_with_room};
pub use nats_binary::{NATS_VARIABLE, nats_server};
pub use nats_cluster::{NatsCluster, nats_cluster, nats_cluster_of};
pub use port::free_port;
pub use postgres::{Postgres, PostgresSettings};
pub use proxy::{Forwards, Proxy};
pub use supervised::Supervised;
