//! The services as separate processes, with real servers between them.

use std::path::PathBuf;

use test_servers::{Database, Nats, free_port};
use tokio::process::Command;

use crate::platform::{Data, Platform, docket};

/// Every process, and what it keeps.
pub(crate) struct Services {
    /// What clients talk to.
    pub(crate) gateway: Platform,
    /// The broker.
    pub(crate) nats: Nats,
    commands: Option<Platform>,
    models: Platform,
    sagas: Platform,
    simulator: Platform,
    /// The read models' database.
    read_models: Database,
    ports: Ports,
    log: Database,
    _saga_log: Database,
    ledger: Data,
}

#[derive(Clone, Copy)]
struct Ports {
    commands: u16,
    models: u16,
    sagas: u16,
    simulator: u16,
    /// Where traces go, if anywhere.
    collector: Option<u16>,
}

impl Services {
    /// Starts everything; `None` when a server can't be had and the test may be skipped.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(None).await
    }

    /// The same, with every process sending its traces to a collector on this port.
    pub(crate) async fn start_with(collector: Option<u16>) -> Option<Self> {
        let (log, saga_log) = (test_servers::database()?, test_servers::database()?);
        let nats = test_servers::nats()?;
        let port = || free_port().unwrap();
        let (commands, models, sagas, simulator) = (port(), port(), port(), port());
        let ports = Ports { commands, models, sagas, simulator, collector };
        let (ledger, read_models) = (Data::new(), test_servers::database()?);
        let mut simulator = ports.service("payment-simulator", ports.simulator);
        simulator.arg("--data-dir").arg(ledger.path());
        let simulator = Platform::of(simulator).await;
        let commands = Platform::of(command_service(ports, &log, &nats, &ledger)).await;
        commands.until_ready().await;
        let mut models = ports.service("projection-service", ports.models);
        models.env("DOCKET_NATS_URL", nats.url()).env("DOCKET_POSTGRES_URL", read_models.url());
        models.arg("--master-key-file").arg(master_key(&ledger));
        let models = Platform::of(models).await;
        let mut sagas = ports.service("saga-orchestrator", ports.sagas);
        sagas.env("DOCKET_NATS_URL", nats.url()).env("DOCKET_POSTGRES_URL", saga_log.url());
        let sagas = Platform::of(sagas).await;
        let gateway = Platform::of(gateway(ports, &address(ports.commands))).await;
        gateway.until_ready().await;
        let commands = Some(commands);
        Some(Self {
            gateway,
            nats,
            commands,
            models,
            sagas,
            simulator,
            read_models,
            ports,
            log,
            _saga_log: saga_log,
            ledger,
        })
    }

    /// `kill -9` of the command-service, and a new one on the same port.
    pub(crate) async fn kill_command_service(&mut self) {
        self.commands.take().unwrap().kill().await;
        let command = command_service(self.ports, &self.log, &self.nats, &self.ledger);
        self.commands = Some(Platform::of(command).await);
    }

    /// A second command-service beside the first.
    pub(crate) async fn standby(&self) -> Platform {
        let ports = Ports { commands: free_port().unwrap(), ..self.ports };
        Platform::of(command_service(ports, &self.log, &self.nats, &self.ledger)).await
    }

    /// A gateway that knows a second command-service too.
    pub(crate) async fn gateway_before(&self, second: &Platform) -> Platform {
        // The standby is named first, so that it has to be passed over.
        let urls = format!("{},{}", second.url, address(self.ports.commands));
        Platform::of(gateway(self.ports, &urls)).await
    }

    /// The command-service, which nobody keeps any more.
    pub(crate) fn take_command_service(&mut self) -> Platform {
        self.commands.take().unwrap()
    }

    /// SIGTERM to the command-service; it ends well.
    pub(crate) async fn stop_command_service(&mut self) {
        assert!(self.commands.take().unwrap().terminate().await.success());
    }

    /// Stops the broker, deletes all that it has, and starts it.
    pub(crate) fn wipe_broker(&mut self) {
        self.nats.stop().unwrap();
        self.nats.wipe().unwrap();
        self.nats.start_again().unwrap();
    }

    /// What `docket digest` says of the read models; nothing while they stand at different positions.
    pub(crate) async fn digest(&self) -> String {
        let url = self.read_models.url();
        let output = docket(&["digest", "--postgres-url", &url]).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// SIGTERM to all, senders before receivers; each ends well.
    pub(crate) async fn terminate(self) {
        for process in [self.gateway, self.sagas, self.commands.unwrap(), self.models] {
            assert!(process.terminate().await.success());
        }
        assert!(self.simulator.terminate().await.success());
    }
}

/// In a folder that lives as long as the services.
fn master_key(folder: &Data) -> PathBuf {
    folder.path().join("master.key")
}

impl Ports {
    fn service(self, name: &str, port: u16) -> Command {
        let mut command = docket(&[name, "--listen", &format!("127.0.0.1:{port}")]);
        command.env("DOCKET_PAYMENT_DEADLINE_MS", "300");
        if let Some(collector) = self.collector {
            send_traces(&mut command, collector);
        }
        command
    }
}

/// Lets a process send its traces to a collector on this port, soon after each span.
pub(crate) fn send_traces(command: &mut Command, collector: u16) {
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{collector}"));
    command.env("OTEL_BSP_SCHEDULE_DELAY", "50");
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn gateway(ports: Ports, command_services: &str) -> Command {
    let mut gateway = ports.service("gateway", 0);
    gateway.args(["--command-service-url", command_services]);
    for (flag, port) in [
        ("--projection-service-url", ports.models),
        ("--saga-orchestrator-url", ports.sagas),
        ("--payment-simulator-url", ports.simulator),
    ] {
        gateway.arg(flag).arg(address(port));
    }
    gateway
}

fn command_service(ports: Ports, log: &Database, nats: &Nats, ledger: &Data) -> Command {
    let mut command = ports.service("command-service", ports.commands);
    command.env("DOCKET_POSTGRES_URL", log.url()).env("DOCKET_NATS_URL", nats.url());
    command.arg("--master-key-file").arg(master_key(ledger));
    let provider = format!("http://127.0.0.1:{}", ports.simulator);
    command.args(["--payment-provider-url", &provider]);
    command
}
