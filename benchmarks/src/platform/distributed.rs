//! A process a service, as in production but on one machine: no gateway, clients talk to the services themselves.

use std::path::Path;

use anyhow::Result;
use test_servers::Nats;
use tokio::process::Command;

use super::process::Process;
use super::running::{Addresses, Kept, PATIENCE, Platform, free_address, until_ready};
use crate::servers;

pub(super) const TOLD: &str = "a process a service (no gateway), one PostgreSQL with a database each, one nats-server with \
    its default sync_interval";

const SIMULATOR: &str = "payment-simulator";
const COMMANDS: &str = "command-service";
const MODELS: &str = "projection-service";
const SAGAS: &str = "saga-orchestrator";
const GATEWAY: &str = "gateway";

/// What every process is told.
struct Home<'h> {
    folder: &'h Path,
    nats: String,
}

impl Home<'_> {
    fn start(
        &self,
        name: &'static str,
        address: &str,
        database: &str,
        set: impl FnOnce(&mut Command),
    ) -> Result<Process> {
        Process::docket(name, |command| {
            command.args(["--listen", address]);
            command.env("DOCKET_NATS_URL", &self.nats).env("DOCKET_POSTGRES_URL", database);
            command.env("DOCKET_MASTER_KEY_FILE", self.folder.join("master.key"));
            set(command);
        })
    }
}

pub(super) async fn start() -> Result<Platform> {
    let folder = tempfile::tempdir()?;
    let postgres = servers::postgres(&["log", "models", "sagas"])?;
    let nats = Nats::start()?;
    let (simulator, at) = (
        free_address()?,
        Addresses { commands: free_address()?, models: free_address()?, sagas: free_address()? },
    );
    let home = Home { folder: folder.path(), nats: nats.url() };
    let mut processes = vec![
        Process::server("PostgreSQL", postgres.process_id()?),
        Process::server("nats-server", nats.process_id()?),
        Process::docket(SIMULATOR, |command| {
            command.args(["--listen", &simulator, "--data-dir"]).arg(folder.path());
        })?,
        home.start(COMMANDS, &at.commands, &postgres.url("log"), |command| {
            command.args(["--payment-provider-url", &format!("http://{simulator}")]);
        })?,
    ];
    // It makes the master key.
    until_ready(&at.commands, PATIENCE).await?;
    processes.push(home.start(MODELS, &at.models, &postgres.url("models"), |_| {})?);
    processes.push(home.start(SAGAS, &at.sagas, &postgres.url("sagas"), |_| {})?);
    let kept = Kept { folder, _servers: Some((postgres, nats)) };
    Ok(Platform { at, processes, kept })
}

/// A gateway before the services of these addresses. Where it answers.
pub(super) async fn gateway(at: &Addresses) -> Result<(String, Process)> {
    let address = free_address()?;
    let url = |of: &str| format!("http://{of}");
    let process = Process::docket(GATEWAY, |command| {
        command.args(["--listen", &address]);
        command.args(["--command-service-url", &url(&at.commands)]);
        command.args(["--projection-service-url", &url(&at.models)]);
        command.args(["--saga-orchestrator-url", &url(&at.sagas)]);
    })?;
    until_ready(&address, PATIENCE).await?;
    Ok((address, process))
}
