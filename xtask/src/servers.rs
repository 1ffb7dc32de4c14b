//! The servers that tests need: found, installed or left out; told by environment.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use test_servers::{NATS_VARIABLE, POSTGRES_VARIABLE, Postgres, PostgresSettings};

/// What there is of them; what was started ends when this is dropped.
pub(crate) struct Servers {
    /// One for all tests.
    postgres: Option<Postgres>,
    /// The program: tests start their own, to kill it.
    nats: Option<PathBuf>,
}

impl Servers {
    /// Starts and finds them. One that is neither here nor can be installed is left out, which is said; with
    /// `DOCKET_REQUIRE_SERVERS=1` it is an error.
    pub(crate) fn start() -> anyhow::Result<Self> {
        // Tests that take the power away start servers of their own.
        let postgres = PostgresSettings::default().without_fsync().start();
        let nats = test_servers::nats_server();
        Ok(Self {
            postgres: unless_left_out("PostgreSQL", postgres)?,
            nats: unless_left_out("NATS JetStream", nats)?,
        })
    }

    /// Tells a command where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(postgres) = &self.postgres {
            command.env(POSTGRES_VARIABLE, postgres.url(""));
        }
        // Empty where there is none, so that not every test tries to install it again.
        command.env(NATS_VARIABLE, self.nats.clone().unwrap_or_default());
    }
}

fn unless_left_out<T>(server: &str, found: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match found {
        Err(missing) if !test_servers::is_required() => {
            println!("-- LEFT OUT: the tests on {server}: {missing:#}");
            Ok(None)
        }
        found => found.map(Some).with_context(|| format!("the tests need {server}")),
    }
}
