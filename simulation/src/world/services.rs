//! The command-service: the real one, with all that it starts.

use std::sync::Arc;
use std::time::Duration;

use command_service::payments::RunnerSettings;
use command_service::processor::{ProcessorHandle, ProcessorSettings};
use command_service::{CommandService, CommandSettings, Provider};
use event_store::EventLog;

use super::state::{SECRET, World};
use crate::ports::BankAccess;
use crate::process::Process;

/// One that runs, or is taken to run.
pub(crate) struct Serving {
    pub(super) process: Arc<Process>,
    pub(super) processor: ProcessorHandle,
    _service: CommandService,
}

impl World {
    /// Starts one, which takes the log over.
    pub(crate) fn start_commands(&self) {
        let process = self.process("commands");
        let log = self.faulty(self.taken_over(), &process);
        self.tell_others(&log);
        let bank = BankAccess { bank: Arc::clone(&self.bank), process: Arc::clone(&process) };
        let service = CommandService::start(
            settings(),
            Arc::new(log),
            Arc::clone(&self.vault),
            Provider::Other(Arc::new(bank)),
            Arc::clone(&self.clock),
        );
        self.broker.consume(Arc::clone(&process), service.participants());
        let processor = service.processor();
        self.serving().push(Arc::new(Serving { process, processor, _service: service }));
    }

    /// Kills all but so many of the newest.
    pub(crate) async fn kill_commands(&self, but: usize) {
        let intents = self.log().open_intents().await.unwrap_or_default();
        let mut serving = self.serving();
        let gone = serving.len().saturating_sub(but);
        for killed in serving.drain(..gone) {
            killed.process.kill();
            self.trace.tell(format_args!("{} is killed", killed.process.name));
            self.trace.happened("a crash of the command-service");
            if intents.iter().any(|intent| intent.payload.contains("\"intent\":\"payment\"")) {
                self.trace.happened("a crash between intent and outcome");
            }
        }
    }
}

fn settings() -> CommandSettings {
    CommandSettings {
        request_secret: SECRET.to_vec(),
        processor: ProcessorSettings {
            batch: 16,
            cached_states: 8,
            call_timeout: Duration::from_secs(2),
            unknown_deadline: Duration::from_secs(5),
            snapshot_every: 4,
            ..ProcessorSettings::default()
        },
        payments: RunnerSettings {
            probe_most: Duration::from_secs(4),
            scan_every: Duration::from_secs(10),
            key_lifetime: Duration::from_mins(4),
            ..RunnerSettings::default()
        },
    }
}
