//! The platform's processes: what starts each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use test_servers::free_port;

use super::layout::Layout;
use super::process::Start;
use super::servers::{Databases, Servers};
use crate::patience::payment_deadline;
use crate::tokens::tokens;
use crate::tools::own_clock;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Everything in one.
    Dev,
    Commands,
    Models,
    Sagas,
    Notifications,
    Simulator,
    Gateway,
}

impl Role {
    /// Those of separate processes, in the order in which they start.
    pub(crate) const SERVICES: [Self; 6] = [
        Self::Simulator,
        Self::Commands,
        Self::Models,
        Self::Sagas,
        Self::Notifications,
        Self::Gateway,
    ];

    /// Its subcommand.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Commands => "command-service",
            Self::Models => "projection-service",
            Self::Sagas => "saga-orchestrator",
            Self::Notifications => "notification-service",
            Self::Simulator => "payment-simulator",
            Self::Gateway => "gateway",
        }
    }
}

/// Who is told by webhook is on this machine, and is told again soon.
const TELLS: [(&str, &str); 2] = [
    ("DOCKET_WEBHOOK_NETWORKS", "127.0.0.0/8"),
    ("DOCKET_WEBHOOK_RETRIES_S", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
];

/// The binaries that are broken.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// What is to be seen to hold.
    pub(crate) docket: PathBuf,
    /// Of another version, which it takes over from and gives back to.
    pub(crate) other: PathBuf,
}

/// What every process of a run is told.
#[derive(Debug)]
pub(crate) struct Plan {
    programs: Programs,
    data: PathBuf,
    logs: PathBuf,
    layout: Layout,
    ports: HashMap<(Role, bool), u16>,
    reached: Option<(Databases, String)>,
    /// Where the payment provider is asked, when it is not the simulator itself.
    pub(crate) gate: Option<String>,
}

impl Plan {
    pub(crate) fn new(
        programs: &Programs,
        folder: &Path,
        data: PathBuf,
        layout: &Layout,
        servers: Option<&Servers>,
    ) -> Result<Self> {
        let mut ports = HashMap::new();
        for role in [Role::Dev].into_iter().chain(Role::SERVICES) {
            for second in [false, true] {
                ports.insert((role, second), free_port()?);
            }
        }
        let reached = servers.map(|servers| (servers.reached(), servers.broker()));
        let (programs, logs) = (programs.clone(), folder.to_owned());
        let (layout, gate) = (layout.clone(), None);
        Ok(Self { programs, data, logs, layout, ports, reached, gate })
    }

    /// What starts the first or the second process of a service.
    pub(crate) fn start(&self, role: Role, second: bool) -> Result<Start> {
        let port = self.ports[&(role, second)];
        let before = self.layout.before.iter().filter(|(of, _)| *of == role);
        let before = before.flat_map(|(_, words)| words.clone()).collect();
        let is_other = self.layout.other_version.contains(&role);
        let program = if is_other { &self.programs.other } else { &self.programs.docket };
        let mut words = vec![role.name().to_owned()];
        words.extend(["--listen".to_owned(), format!("127.0.0.1:{port}")]);
        let data = self.data.to_string_lossy().into_owned();
        let deadline = payment_deadline().as_millis().to_string();
        let mut env = vec![
            ("DOCKET_PAYMENT_DEADLINE_MS".to_owned(), deadline),
            // Nobody shares out what comes here; that it says so first is seen all the same.
            ("DOCKET_SHUTDOWN_DELAY_MS".to_owned(), "200".to_owned()),
        ];
        let auth_file = tokens().map(|tokens| tokens.auth_file.to_string_lossy().into_owned());
        let auth_is_on = auth_file.is_some();
        env.extend(auth_file.map(|file| ("DOCKET_AUTH_FILE".to_owned(), file)));
        // All clients come as one caller: what one may is not what a crowd may.
        if auth_is_on && [Role::Dev, Role::Gateway].contains(&role) {
            env.push(("DOCKET_STAFF_RATE".to_owned(), "off".to_owned()));
        }
        match role {
            Role::Dev | Role::Simulator => words.extend(["--data-dir".to_owned(), data]),
            Role::Gateway => words.extend(self.upstreams()),
            Role::Commands | Role::Models | Role::Sagas | Role::Notifications => {
                env.extend(self.databases(role)?);
            }
        }
        if self.layout.told && [Role::Dev, Role::Notifications].contains(&role) {
            env.extend(TELLS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if role == Role::Commands {
            let url = self.gate.clone().unwrap_or_else(|| self.url(Role::Simulator, false));
            words.extend(["--payment-provider-url".to_owned(), url]);
        }
        let more = self.layout.env.iter().filter(|(of, ..)| *of == role);
        env.extend(more.map(|(_, name, value)| ((*name).to_owned(), value.clone())));
        let name = format!("{}{}", role.name(), if second { "-2" } else { "" });
        if self.layout.clocks.contains(&role) {
            env.extend(own_clock::environment(&own_clock::file(&self.logs, role.name()))?);
        }
        let (log, url) = (self.logs.join(format!("{name}.log")), self.url(role, second));
        Ok(Start { name, url, before, program: program.clone(), words, env, log })
    }

    fn databases(&self, role: Role) -> Result<Vec<(String, String)>> {
        let (databases, broker) = self.reached.as_ref().context("services have servers")?;
        let database = match role {
            Role::Commands => &databases.log,
            Role::Models => &databases.models,
            // Each has a schema of its own there.
            _ => &databases.sagas,
        };
        let replicas = self.layout.nats.to_string();
        let mut env = vec![
            ("DOCKET_NATS_URL", broker.clone()),
            ("DOCKET_POSTGRES_URL", database.clone()),
            ("DOCKET_NATS_REPLICAS", replicas),
        ];
        if role != Role::Sagas {
            let key = self.data.join("master.key").to_string_lossy().into_owned();
            env.push(("DOCKET_MASTER_KEY_FILE", key));
        }
        Ok(env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn upstreams(&self) -> Vec<String> {
        let told = self.layout.told.then_some(Role::Notifications);
        [Role::Commands, Role::Models, Role::Sagas, Role::Simulator]
            .into_iter()
            .chain(told)
            .flat_map(|role| {
                let mut urls = vec![self.url(role, false)];
                if self.layout.seconds.contains(&role) {
                    urls.push(self.url(role, true));
                }
                [format!("--{}-url", role.name()), urls.join(",")]
            })
            .collect()
    }

    pub(super) fn url(&self, role: Role, second: bool) -> String {
        format!("http://127.0.0.1:{}", self.ports[&(role, second)])
    }
}
