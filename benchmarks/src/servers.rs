//! The database server as every measurement starts it, durable.

use anyhow::Result;
use test_servers::{Postgres, PostgresSettings};

/// What differs from the server's own defaults, beside `max_connections`. Checkpoints are rare enough not to fall into a
/// run by chance.
const SETTINGS: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
];

/// What it is, for people.
pub(crate) fn told() -> String {
    let settings = SETTINGS.map(|(name, value)| format!("{name} = {value}"));
    format!("PostgreSQL: fsync = on, {}, else its defaults", settings.join(", "))
}

/// A server in a temporary folder, with these databases.
pub(crate) fn postgres(databases: &[&str]) -> Result<Postgres> {
    let settings = PostgresSettings::default();
    let settings = SETTINGS.iter().fold(settings, |all, (name, value)| all.set(name, value));
    let server = settings.start()?;
    for name in databases {
        server.execute(&[&format!("CREATE DATABASE {name}")])?;
    }
    Ok(server)
}
