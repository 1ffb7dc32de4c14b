//! The servers that tests need: started once for all of them, and told by environment.

use std::process::Command;

use anyhow::Context;
use test_servers::{POSTGRES_VARIABLE, Postgres, PostgresSettings};

/// Running servers; they end when this is dropped.
pub(crate) struct Servers {
    postgres: Postgres,
}

impl Servers {
    /// Starts them. A server that is not installed is an error: what CI says nothing about is not tested.
    pub(crate) fn start() -> anyhow::Result<Self> {
        // Tests that take the power away start servers of their own.
        let settings = PostgresSettings::default().without_fsync();
        Ok(Self { postgres: settings.start().context("the tests need PostgreSQL")? })
    }

    /// Tells a command where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env(POSTGRES_VARIABLE, self.postgres.url(""));
    }
}
