//! Two orchestrators on one database, of which the holder of a lease is active.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::sagas::Timeouts;
use saga_orchestrator::{MemoryOrchestrator, Phase, Settings};
use storage::LeaseSettings;

use super::state::World;
use crate::ports::{BrokerAccess, FaultyDisk, FaultyFeed};
use crate::process::Process;

/// One that runs.
pub(crate) struct Orchestrating {
    pub(super) process: Arc<Process>,
    pub(super) feed: Arc<FaultyFeed>,
    pub(super) orchestrator: MemoryOrchestrator,
}

impl World {
    /// Starts the one of this place, unless it runs.
    pub(crate) fn start_orchestrator(&self, place: usize) {
        if self.orchestrating()[place].is_some() {
            return;
        }
        let process = self.process("orchestrator");
        let feed = Arc::new(FaultyFeed::new(self.faulty(self.log(), &process)));
        let queue =
            BrokerAccess { broker: Arc::clone(&self.broker), process: Arc::clone(&process) };
        let disk = FaultyDisk {
            process: Arc::clone(&process),
            weather: Arc::clone(&self.weather),
            trace: Arc::clone(&self.trace),
        };
        let orchestrator = MemoryOrchestrator::start(
            settings(&process.name, self.plan.order_deadline_s),
            self.tables.behind(Arc::new(disk)),
            Arc::clone(&feed) as _,
            Arc::new(queue),
            Arc::clone(&self.clock),
        );
        let started = Orchestrating { process, feed, orchestrator };
        self.orchestrating()[place] = Some(Arc::new(started));
    }

    /// One that stands still in a fault is a bug: nothing that breaks here is a matter for a person.
    pub(crate) fn note_faults(&self) {
        for one in self.orchestrating().iter().flatten() {
            if let Phase::Faulted { position, cause } = one.orchestrator.status().phase {
                let name = &one.process.name;
                self.violations
                    .found("fault", format!("{name} stands still at {position}: {cause}."));
            }
        }
    }

    /// Kills the one of this place.
    pub(crate) fn kill_orchestrator(&self, place: usize) {
        self.note_faults();
        if let Some(killed) = self.orchestrating()[place].take() {
            killed.process.kill();
            killed.orchestrator.kill();
            self.trace.tell(format_args!("{} is killed", killed.process.name));
            self.trace.happened("a crash of an orchestrator");
        }
    }
}

fn settings(holder: &str, order_deadline_s: i64) -> Settings {
    Settings {
        lease: Some(LeaseSettings::new("sagas", holder)),
        timeouts: Timeouts {
            order_deadline: TimeDelta::seconds(order_deadline_s),
            unknown_alarm: TimeDelta::seconds(20),
            answer_alarm: TimeDelta::seconds(60),
            retry_most: TimeDelta::seconds(8),
            attempts_before_alarm: 4,
            ..Timeouts::default()
        },
        batch: 50,
        tick_every: Duration::from_millis(250),
        cached_orders: 4,
        ..Settings::at(PathBuf::new())
    }
}
