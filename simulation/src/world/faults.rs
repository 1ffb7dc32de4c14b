//! What the plan breaks, and how all of it heals.

use std::sync::Arc;
use std::time::Duration;

use messaging::commands::CommandMessage;
use messaging::feed::Freshness;
use tokio::time::{Instant, sleep};

use super::state::World;
use crate::plan::Fault;
use crate::weather::Mishap;

impl World {
    /// Breaks one thing at its time.
    pub(crate) async fn strike(self: Arc<Self>, at: Duration, fault: Fault) {
        sleep(at.saturating_sub(self.trace.elapsed())).await;
        self.trace.tell(format_args!("strikes: {fault:?}"));
        match fault {
            Fault::CrashCommands(down) => {
                self.kill_commands(0).await;
                sleep(down).await;
                if self.serving().is_empty() {
                    self.start_commands();
                }
            }
            Fault::TakeOver(asleep) => self.take_over(asleep).await,
            Fault::CrashOrchestrator(which, down) => {
                self.kill_orchestrator(which);
                sleep(down).await;
                self.start_orchestrator(which);
            }
            Fault::SleepOrchestrator(which, time) => {
                if let Some(one) = &self.orchestrating()[which] {
                    one.process.sleep_until(Instant::now() + time);
                }
            }
            Fault::LoseCommits(commits) => self.lose_commits(commits),
            Fault::ForgetQueue => self.broker.forget_everything(),
            Fault::Silence(time) => {
                self.events.is_silent(time);
                self.hear(Freshness::Unknown);
                sleep(time).await;
                self.hear(Freshness::Known);
            }
            Fault::LogAway(time) => self.weather.breaks(Mishap::LogUnreached, time),
            Fault::ProviderAway(time) => self.weather.breaks(Mishap::ProviderUnreached, time),
            Fault::Events(fault) => self.strike_events(fault),
            Fault::Models(fault) => self.strike_models(fault).await,
            Fault::Poison(order) => self.broker.take(poison(order, (self.clock)())),
        }
    }

    /// Another command-service is started beside the one that runs, which sleeps, wakes, finds itself refused, and ends.
    async fn take_over(&self, asleep: Duration) {
        let old = self.serving().last().cloned();
        if let Some(old) = &old {
            old.process.sleep_until(Instant::now() + asleep);
        }
        self.start_commands();
        sleep(asleep + Duration::from_secs(3)).await;
        if let Some(old) = old {
            old.process.kill();
            self.serving().retain(|one| !Arc::ptr_eq(one, &old));
            if self.serving().is_empty() {
                self.start_commands();
            }
        }
    }

    /// The database of the sagas crashes.
    pub(super) fn lose_commits(&self, commits: usize) {
        let lost = self.tables.lose_last(commits);
        self.trace.tell(format_args!("{lost} commits of the sagas are lost"));
        if lost > 0 {
            self.trace.happened("commits of the sagas lost by their database");
        }
    }

    fn hear(&self, freshness: Freshness) {
        for one in self.orchestrating().iter().flatten() {
            one.hears(freshness);
        }
        if let Some(one) = &*self.projecting() {
            one.hears(freshness);
        }
    }

    /// From now on everything runs, and nothing breaks.
    pub(crate) async fn heal(self: &Arc<Self>) {
        self.trace.tell(format_args!("all heals"));
        self.weather.calm_down();
        self.hear(Freshness::Known);
        self.kill_commands(1).await;
        if self.serving().is_empty() {
            self.start_commands();
        }
        for place in 0..2 {
            self.start_orchestrator(place);
        }
        if self.projecting().is_none() {
            self.start_projectors();
        }
    }
}

/// A command that no build knows.
fn poison(order: u64, now: chrono::DateTime<chrono::Utc>) -> CommandMessage {
    let id = format!("poison-{order}");
    CommandMessage {
        command_id: id.as_str().into(),
        body: format!(r#"{{"command":"TeleportOrder","body":{{"order_id":"o{order}"}}}}"#),
        correlation_id: id.into(),
        causation_id: None,
        traceparent: None,
        occurred_at: now,
        begun: false,
    }
}
