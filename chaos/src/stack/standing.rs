//! A whole platform that stands.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use super::layout::{Kind, Layout};
use super::process::Process;
use super::servers::Servers;
use super::services::{Plan, Programs, Role};
use crate::awake::Awake;
use crate::client::Client;
use crate::patience::patience;
use crate::tokens::tokens;
use crate::tools::own_clock;
use crate::tools::provider_gate::ProviderGate;
use crate::tools::small_disk::SmallDisk;

/// Sagas that have something to do.
const RUNNING: &str = "/v1/sagas?state=running";
/// So many that are stuck are told of.
const EXPLAINED: usize = 3;
/// How often is looked whether something has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything that a fault may break.
#[derive(Debug)]
pub(crate) struct Stack {
    /// In one process or in several.
    pub(crate) kind: Kind,
    /// The processes; they end before their servers.
    processes: Vec<(Role, Process)>,
    servers: Option<Servers>,
    /// Between the command-service and the payment provider.
    pub(crate) gate: Option<ProviderGate>,
    pub(crate) programs: Programs,
    folder: PathBuf,
    data: PathBuf,
    /// What is full when it is full.
    pub(crate) disk: Option<SmallDisk>,
}

impl Stack {
    /// Starts what a layout asks for; everything lies in the folder.
    pub(crate) async fn start(programs: &Programs, folder: &Path, layout: &Layout) -> Result<Self> {
        let disk = layout.small_disk_mib.map(|mib| SmallDisk::mount(&folder.join("disk"), mib));
        let disk = disk.transpose()?;
        let servers = Servers::start(layout, disk.as_ref().map(SmallDisk::path))?;
        let data = match (&disk, layout.kind) {
            (Some(disk), Kind::Embedded) => disk.path().join("data"),
            _ => folder.join("data"),
        };
        std::fs::create_dir_all(&data)?;
        let mut plan = Plan::new(programs, folder, data.clone(), layout, servers.as_ref())?;
        let simulator = plan.url(Role::Simulator, false);
        let gate = layout.gated_provider.then(|| ProviderGate::before(&simulator));
        let gate = futures::future::OptionFuture::from(gate).await.transpose()?;
        plan.gate = gate.as_ref().map(|gate| gate.url().to_owned());
        let (kind, processes) = (layout.kind, Vec::new());
        let (programs, folder) = (programs.clone(), folder.to_owned());
        let mut stack = Self { kind, processes, servers, gate, programs, folder, data, disk };
        match layout.kind {
            Kind::Embedded => stack.run(&plan, Role::Dev, false)?,
            Kind::Distributed => {
                stack.run(&plan, Role::Simulator, false)?;
                stack.run(&plan, Role::Commands, false)?;
                // It makes the master key.
                stack.until_ready(Role::Commands).await?;
                let told = layout.told.then_some(Role::Notifications);
                let rest = [Role::Models, Role::Sagas].into_iter().chain(told);
                for role in rest.chain([Role::Gateway]) {
                    stack.run(&plan, role, false)?;
                }
            }
        }
        stack.until_all_ready().await?;
        for role in &layout.seconds {
            stack.run(&plan, *role, true)?;
        }
        Ok(stack)
    }

    fn run(&mut self, plan: &Plan, role: Role, second: bool) -> Result<()> {
        self.processes.push((role, Process::start(plan.start(role, second)?)?));
        Ok(())
    }

    /// What clients talk to.
    pub(crate) fn entrance(&self) -> &Process {
        match self.kind {
            Kind::Embedded => self.of(Role::Dev),
            Kind::Distributed => self.of(Role::Gateway),
        }
    }

    /// The process that takes commands.
    pub(crate) fn writer(&self) -> &Process {
        match self.kind {
            Kind::Embedded => self.of(Role::Dev),
            Kind::Distributed => self.of(Role::Commands),
        }
    }

    /// The first process of a service.
    ///
    /// # Panics
    /// When the layout has none: the fault's own mistake.
    pub(crate) fn of(&self, role: Role) -> &Process {
        let found = self.processes.iter().find(|(of, _)| *of == role);
        found.map(|(_, process)| process).expect("the fault asked for this service")
    }

    /// The second process of a service.
    pub(crate) fn second(&self, role: Role) -> Result<&Process> {
        let of_role = self.processes.iter().filter(|(of, _)| *of == role);
        let second = of_role.map(|(_, process)| process).nth(1);
        second.with_context(|| format!("there is no second {}", role.name()))
    }

    /// All of them.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().map(|(_, process)| process)
    }

    /// The servers of separate processes.
    pub(crate) fn servers(&mut self) -> Result<&mut Servers> {
        self.servers.as_mut().context("one process has no servers")
    }

    /// The same, to look at.
    pub(crate) fn servers_ref(&self) -> Option<&Servers> {
        self.servers.as_ref()
    }

    /// Sets the clock of a service so many seconds off the machine's.
    pub(crate) fn set_clock(&self, role: Role, offset_s: i64) -> Result<()> {
        own_clock::set(&own_clock::file(&self.folder, role.name()), offset_s)
    }

    /// Waits until a service says that it is ready.
    pub(crate) async fn until_ready(&self, role: Role) -> Result<()> {
        until_ready(self.of(role)).await
    }

    /// Waits until every first process is ready.
    pub(crate) async fn until_all_ready(&self) -> Result<()> {
        match self.kind {
            Kind::Embedded => self.until_ready(Role::Dev).await,
            Kind::Distributed => {
                let runs = |role: &Role| self.processes.iter().any(|(of, _)| of == role);
                for role in Role::SERVICES.into_iter().filter(runs) {
                    self.until_ready_or_standing_by(role).await?;
                }
                Ok(())
            }
        }
    }

    async fn until_ready_or_standing_by(&self, role: Role) -> Result<()> {
        let all: Vec<&Process> = self
            .processes
            .iter()
            .filter(|(of, _)| *of == role)
            .map(|(_, process)| process)
            .collect();
        let begun = Awake::now();
        loop {
            for process in &all {
                if status(process).await.as_deref() == Some("ready") {
                    return Ok(());
                }
            }
            if begun.elapsed() > patience() {
                bail!("no {} gets ready", role.name());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every read model has read all, and no saga has anything due.
    pub(crate) async fn settle(&self) -> Result<()> {
        let client = Client::new(self.entrance().url())?;
        let none = |list: &Value| list["items"].as_array().is_some_and(Vec::is_empty);
        if let Err(stuck) = client.until(RUNNING, none).await {
            return Err(stuck.context(explained(&client).await));
        }
        let same = |model: &Value| model["position"] == model["head"];
        let all = |list: &Value| list["items"].as_array().is_some_and(|all| all.iter().all(same));
        client.until("/v1/projections", all).await?;
        Ok(())
    }

    /// `docket` with these words, told where everything is; its answer as JSON, and whether it succeeded.
    pub(crate) async fn docket(&self, words: &[&str]) -> Result<(bool, String, String)> {
        let mut command = Command::new(&self.programs.docket);
        command.args(words).kill_on_drop(true);
        if let Some(tokens) = tokens() {
            command.env("DOCKET_TOKEN", &tokens.token);
        }
        match &self.servers {
            None => drop(command.arg("--data-dir").arg(&self.data)),
            Some(servers) => {
                let databases = servers.databases();
                command
                    .env("DOCKET_COMMAND_POSTGRES_URL", databases.log)
                    .env("DOCKET_PROJECTION_POSTGRES_URL", databases.models)
                    .env("DOCKET_SAGA_POSTGRES_URL", databases.sagas)
                    .env("DOCKET_PAYMENT_SIMULATOR_URL", self.of(Role::Simulator).url())
                    .env("DOCKET_MASTER_KEY_FILE", self.data.join("master.key"));
            }
        }
        let output = command.output().await.context("docket can't be started")?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.status.success(), text(output.stdout), text(output.stderr)))
    }

    /// SIGTERM to all, senders before receivers; each has to end well.
    pub(crate) fn terminate(&self) -> Result<()> {
        let order = [
            Role::Gateway,
            Role::Notifications,
            Role::Sagas,
            Role::Commands,
            Role::Models,
            Role::Simulator,
            Role::Dev,
        ];
        for role in order {
            for (_, process) in self.processes.iter().filter(|(of, _)| *of == role) {
                process.terminate()?;
            }
        }
        Ok(())
    }
}

/// What a person would ask of the sagas that are still running, before everything is taken away.
async fn explained(client: &Client) -> String {
    let mut all = Vec::new();
    let list = client.get(RUNNING).await.map(|answer| answer.body).unwrap_or_default();
    for saga in list["items"].as_array().into_iter().flatten().take(EXPLAINED) {
        let path = format!("/v1/sagas/{}/explain", saga["id"].as_str().unwrap_or_default());
        if let Ok(answer) = client.get(&path).await {
            all.push(answer.body.to_string());
        }
    }
    all.join("; ")
}

async fn until_ready(process: &Process) -> Result<()> {
    let begun = Awake::now();
    while status(process).await.as_deref() != Some("ready") {
        if begun.elapsed() > patience() {
            let log = std::fs::read_to_string(process.log()).unwrap_or_default();
            bail!(
                "{} does not get ready: {}",
                process.name(),
                log.lines().last().unwrap_or_default()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn status(process: &Process) -> Option<String> {
    Client::new(process.url()).ok()?.status().await
}
