//! A running platform: where it answers, and what runs for it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tempfile::TempDir;
use test_servers::{Nats, Postgres};

use super::process::Process;
use super::{distributed, embedded};
use crate::client::Connection;

/// How long a platform may take to be ready.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The same over a long history, which it reads first.
const LONG_PATIENCE: Duration = Duration::from_hours(1);

/// Who runs where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `docket dev`: everything in one process, on SQLite.
    Embedded,
    /// A process a service, PostgreSQL below and JetStream between them.
    Distributed,
}

impl Kind {
    /// What it is, for people.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Embedded => "one process, SQLite",
            Self::Distributed => distributed::TOLD,
        }
    }
}

/// `host:port` of who answers what.
#[derive(Clone)]
pub(crate) struct Addresses {
    pub(crate) commands: String,
    pub(crate) models: String,
    pub(crate) sagas: String,
}

/// What the processes keep, for as long as they run.
pub(crate) struct Kept {
    pub(crate) folder: TempDir,
    pub(crate) _servers: Option<(Postgres, Nats)>,
}

/// A running platform.
pub(crate) struct Platform {
    pub(crate) at: Addresses,
    /// Everything that works for it, servers too.
    pub(crate) processes: Vec<Process>,
    /// Dropped after the processes.
    pub(super) kept: Kept,
}

impl Platform {
    /// Starts one, and waits until it is ready.
    pub(crate) async fn start(kind: Kind) -> Result<Self> {
        let platform = match kind {
            Kind::Embedded => embedded::start()?,
            Kind::Distributed => distributed::start().await?,
        };
        for address in [&platform.at.commands, &platform.at.models, &platform.at.sagas] {
            until_ready(address, PATIENCE).await?;
        }
        Ok(platform)
    }

    /// Starts a gateway before its services, and waits until it is ready. Where it answers.
    pub(crate) async fn add_gateway(&mut self) -> Result<String> {
        let (address, process) = distributed::gateway(&self.at).await?;
        self.processes.push(process);
        Ok(address)
    }

    /// Starts one in one process over a folder in which there is a history, and waits, long if need be, until it is ready.
    pub(crate) async fn start_in(folder: TempDir) -> Result<Self> {
        let platform = embedded::start_in(folder)?;
        until_ready(&platform.at.commands, LONG_PATIENCE).await?;
        Ok(platform)
    }

    /// Ends it, and leaves its folder.
    pub(crate) async fn leave(self) -> Result<TempDir> {
        for process in self.processes.into_iter().rev() {
            process.stop().await?;
        }
        Ok(self.kept.folder)
    }

    /// Where it keeps its data, or the master key alone.
    pub(crate) fn folder(&self) -> &Path {
        self.kept.folder.path()
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> Result<()> {
        for process in self.processes.into_iter().rev() {
            process.stop().await?;
        }
        Ok(())
    }

    /// Processor time that each process took so far.
    pub(crate) fn cpu(&self) -> Result<Vec<Duration>> {
        self.processes.iter().map(Process::cpu).collect()
    }
}

/// Waits until a process says that it is ready.
pub(crate) async fn until_ready(address: &str, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.get("/health/ready").await.is_ok()
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the platform was not ready within {} s", patience.as_secs())
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", test_servers::free_port()?))
}
