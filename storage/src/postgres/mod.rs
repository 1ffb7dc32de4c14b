//! PostgreSQL: connections that never hang, migrations that two replicas can't race, and what is weak about a server.

mod address;
mod checkout;
mod durability;
mod listen;
mod migrate;
mod pool;

pub use address::PostgresSettings;
pub use checkout::Checkout;
pub use durability::weaknesses;
pub use listen::listen;
pub use migrate::{is_migrated, migrate};
pub use pool::PostgresPool;
