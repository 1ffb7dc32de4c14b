//! A fresh database for a test, on one server for all of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::absent;
use crate::postgres::{Postgres, PostgresSettings};
use crate::query::Server;

/// The address of a server that runs already; without it, this process starts its own.
pub const POSTGRES_VARIABLE: &str = "DOCKET_TEST_POSTGRES";

/// Never dropped, as statics are not: the server ends because its supervisor sees this process end.
static OWN: OnceLock<Result<Postgres, String>> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(1);

/// A database that nobody else uses. It is dropped with this.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

/// A fresh database; `None` when PostgreSQL is not installed and the test may be skipped.
///
/// # Panics
/// When the server does not start, or is not installed though it has to be.
pub fn database() -> Option<Database> {
    let server = match shared() {
        Ok(server) => server,
        Err(missing) => {
            absent::skipped(&missing);
            return None;
        }
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{count}", std::process::id());
    let created = server.execute(&[
        // Process ids come again.
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        &format!("CREATE DATABASE {name}"),
    ]);
    assert!(created.is_ok(), "a database can't be created: {created:?}");
    Some(Database { server, name })
}

fn shared() -> anyhow::Result<Server> {
    if let Ok(url) = std::env::var(POSTGRES_VARIABLE) {
        return Server::of_url(&url);
    }
    crate::binaries::postgres()?;
    let own = OWN.get_or_init(|| {
        // A test that takes the power away starts a server of its own.
        let started = PostgresSettings::default().without_fsync().start();
        started.map_err(|error| format!("{error:#}"))
    });
    match own {
        Ok(postgres) => Server::of_url(&postgres.url("")),
        Err(error) => panic!("{error}"),
    }
}

impl Database {
    /// Its address, as its owner.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its server listens on the loopback.
    pub fn port(&self) -> u16 {
        self.server.port
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A server that a test has ended has no databases to drop.
        let _ = self.server.execute(&[&drop]);
    }
}
