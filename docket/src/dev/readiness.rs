//! Keeps readiness true: asks every part, about once a second, whether it does its work.

use std::sync::Weak;
use std::time::Duration;

use event_store::EventLog;
use projection_service::ProjectionService;
use saga_orchestrator::{Orchestrator, Phase};
use service_kit::health::Health;

/// How often the parts are asked.
const EVERY: Duration = Duration::from_secs(1);

/// Asks until the platform is gone.
pub(crate) async fn keep(
    health: Health,
    log: Weak<dyn EventLog>,
    orchestrator: Weak<Orchestrator>,
    projections: Weak<ProjectionService>,
) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let Some(log) = log.upgrade() else { break };
        let (Some(sagas), Some(models)) = (orchestrator.upgrade(), projections.upgrade()) else {
            break;
        };
        report(&health, &*log, &sagas, &models);
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
    report_sagas(health, &sagas.status().phase);
    report_models(health, models);
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
            health.down("sagas", format!("stands still at position {position}: {cause}"));
        }
        Phase::Stopped => health.down("sagas", "stopped"),
    }
}

/// Asks every read model.
pub(crate) fn report_models(health: &Health, models: &ProjectionService) {
    for model in models.status() {
        let part = format!("read_model_{}", model.name);
        match model.fault {
            None => health.up(&part),
            Some(fault) => {
                health.down(
                    &part,
                    format!("stands still at position {}: {}", fault.position, fault.cause),
                );
            }
        }
    }
}
