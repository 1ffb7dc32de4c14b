//! Two orchestrators on one database, of which the holder of a lease is active.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::TimeDelta;
use domain::sagas::Timeouts;
use messaging::feed::Freshness;
use saga_orchestrator::{MemoryOrchestrator, Phase, Settings};
use storage::LeaseSettings;

use super::state::World;
use crate::ports::{BrokerAccess, FaultyDisk, FaultyFeed};
use crate::process::Process;

/// One that runs, or waits until it is told which log there is.
pub(crate) struct Orchestrating {
    pub(super) process: Arc<Process>,
    running: OnceLock<(Arc<FaultyFeed>, MemoryOrchestrator)>,
}

impl Orchestrating {
    /// Whether it hears how far the log is.
    pub(super) fn hears(&self, freshness: Freshness) {
        if let Some((feed, _)) = self.running.get() {
            feed.hears(freshness);
        }
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.running.get().is_some_and(|(feed, _)| feed.is_of_another_epoch())
    }

    /// The orchestrator, if it lives and leads.
    pub(super) fn live(&self) -> Option<&MemoryOrchestrator> {
        let (_, orchestrator) = self.running.get()?;
        let leads = !self.process.is_dead() && orchestrator.status().phase == Phase::Live;
        leads.then_some(orchestrator)
    }
}

impl World {
    /// Starts the one of this place, unless it runs.
    pub(crate) fn start_orchestrator(self: &Arc<Self>, place: usize) {
        if self.orchestrating()[place].is_some() {
            return;
        }
        let process = self.process("orchestrator");
        let started = Arc::new(Orchestrating { process, running: OnceLock::new() });
        self.orchestrating()[place] = Some(Arc::clone(&started));
        tokio::spawn(Arc::clone(self).orchestrate(started));
    }

    async fn orchestrate(self: Arc<Self>, started: Arc<Orchestrating>) {
        let process = Arc::clone(&started.process);
        let feed = Arc::new(self.feed(&process).await);
        process.pass().await;
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
        // It is started once.
        let _running = started.running.set((feed, orchestrator));
    }

    /// The feed as a process opens it.
    pub(super) async fn feed(&self, process: &Arc<Process>) -> FaultyFeed {
        let (log, violations) = (self.faulty(self.log(), process), Arc::clone(&self.violations));
        if self.plan.retained.is_some() {
            FaultyFeed::distributed(self.carrier(process), &log, violations).await
        } else {
            FaultyFeed::embedded(&log, violations)
        }
    }

    /// One that stands still in a fault is a bug: nothing that breaks here is a matter for a person. When the log begins another
    /// epoch it may, until its process ends for that and is started anew.
    pub(crate) fn note_faults(&self) {
        for one in self.orchestrating().iter().flatten().filter(|one| !one.has_ended()) {
            let Some((_, orchestrator)) = one.running.get() else { continue };
            if let Phase::Faulted { position, cause } = orchestrator.status().phase {
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
            if let Some((_, orchestrator)) = killed.running.get() {
                orchestrator.kill();
            }
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
