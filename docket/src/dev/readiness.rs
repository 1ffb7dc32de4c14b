//! Keeps readiness true: asks every part, about once a second, whether it does its work.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use event_store::{EventLog, Position};
use notification_service::{Notifications, Phase as Telling};
use projection_service::ProjectionService;
use saga_orchestrator::{Orchestrator, Phase, Status};
use service_kit::freshness::Behind;
use service_kit::health::Health;
use tokio::sync::watch;

/// How often the parts are asked.
const EVERY: Duration = Duration::from_secs(1);

/// Asks until the platform is gone.
pub(crate) async fn keep(
    health: Health,
    log: Weak<dyn EventLog>,
    orchestrator: Weak<Orchestrator>,
    projections: Weak<ProjectionService>,
    notifications: Weak<Notifications>,
) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let Some(log) = log.upgrade() else { break };
        let (Some(sagas), Some(models)) = (orchestrator.upgrade(), projections.upgrade()) else {
            break;
        };
        report(&health, &*log, &sagas, &models);
        let Some(notifications) = notifications.upgrade() else { break };
        report_notifications(&health, &notifications.status().phase);
    }
}

/// Asks once.
pub(crate) fn report(
    health: &Health,
    log: &dyn EventLog,
    sagas: &Orchestrator,
    models: &ProjectionService,
) {
    match log.trouble() {
        None => health.up("event_log"),
        Some(trouble) => health.down("event_log", trouble),
    }
    match sagas.status().phase {
        // Here it is one part of several: commands are taken and read all the same, and no restart would help.
        Phase::Faulted { position, cause } => {
            health.degraded("sagas", stand_still(position, &cause));
        }
        phase => report_sagas(health, &phase),
    }
    report_models(health, models);
}

/// Tells from now on how far behind the log they are, as long as they are there.
pub(crate) fn follow(
    health: &Health,
    head: &watch::Receiver<Position>,
    orchestrator: &Arc<Orchestrator>,
    projections: &Arc<ProjectionService>,
) {
    let (sagas, models) = (orchestrator.watch(), Arc::downgrade(projections));
    tokio::spawn(follow_sagas(health.clone(), head.clone(), sagas));
    tokio::spawn(follow_models(health.clone(), models));
}

/// Tells how far behind the log the sagas are, while they are carried on here.
pub(crate) async fn follow_sagas(
    health: Health,
    head: watch::Receiver<Position>,
    status: watch::Receiver<Status>,
) {
    let (mut behind, mut ticks) = (Behind::default(), tokio::time::interval(EVERY));
    // Until the orchestrator is gone.
    while status.has_changed().is_ok() {
        ticks.tick().await;
        let (position, end) = (status.borrow().position, *head.borrow());
        let reads = matches!(status.borrow().phase, Phase::CatchingUp | Phase::Live);
        // What stands still is not waited for: a person is called.
        let position = if reads { position } else { end };
        health.behind("sagas", behind.look(Instant::now(), position, end));
    }
}

/// Tells how far behind the log the read model is that is furthest, as long as they are there.
pub(crate) async fn follow_models(health: Health, models: Weak<ProjectionService>) {
    let (mut behind, mut ticks) = (Behind::default(), tokio::time::interval(EVERY));
    loop {
        ticks.tick().await;
        let Some(models) = models.upgrade() else { return };
        let status = models.status();
        drop(models);
        let end = status.iter().map(|model| model.target).max().unwrap_or(0);
        let reads = status.iter().filter(|model| model.fault.is_none());
        let position = reads.map(|model| model.live_position).min().unwrap_or(end);
        health.behind("read_models", behind.look(Instant::now(), position, end));
    }
}

/// Tells what the orchestrator does.
pub(crate) fn report_sagas(health: &Health, phase: &Phase) {
    match phase {
        Phase::CatchingUp | Phase::Live => health.up("sagas"),
        Phase::Standby => {
            health.stands_by("sagas", "stands by: another saga-orchestrator is active");
        }
        Phase::Retrying { cause } => health.down("sagas", format!("tries again: {cause}")),
        Phase::Faulted { position, cause } => {
            health.down("sagas", stand_still(*position, cause));
        }
        Phase::Stopped => health.down("sagas", "stopped"),
    }
}

/// Tells what the notifications do. What the platform is for it does without them.
pub(crate) fn report_notifications(health: &Health, phase: &Telling) {
    let part = "notifications";
    match phase {
        Telling::Starting | Telling::Live => health.up(part),
        Telling::Retrying { cause } => health.degraded(part, format!("tries again: {cause}")),
        Telling::Faulted { position, cause } => {
            health.degraded(part, stand_still(*position, cause));
        }
        Telling::Stopped => health.degraded(part, "stopped"),
        Telling::Broken => health.degraded(part, "broke off: start it anew"),
    }
}

/// Asks every read model. One that stands still is no reason to ask the others nothing; all of them are.
pub(crate) fn report_models(health: &Health, models: &ProjectionService) {
    let models = models.status();
    let one_reads = models.iter().any(|model| model.fault.is_none());
    for model in models {
        let part = format!("read_model_{}", model.name);
        match model.fault.map(|fault| stands_still(fault.position, &fault.cause)) {
            None => health.up(&part),
            Some(told) if one_reads => health.degraded(&part, told),
            Some(told) => health.down(&part, told),
        }
    }
}

fn stands_still(position: Position, cause: &str) -> String {
    format!("stands still at position {position}: {cause}")
}

/// The same of several.
fn stand_still(position: Position, cause: &str) -> String {
    format!("stand still at position {position}: {cause}")
}
