//! A data folder, by its files; a platform may be running over it all the same.

use anyhow::{Context as _, Result};
use domain::sagas::SagaState;
use projection_service::{Projector, offline};

use super::{Count, Model, Needing, Status, Unknown};
use crate::data_dir::DataDir;
use crate::dev::DataLock;

/// Sagas that are listed as in need of a person.
const LISTED: usize = 10;

pub(super) async fn status(folder: &DataDir) -> Result<Status> {
    let process = DataLock::holder(folder);
    let mut unknown = Unknown::default();
    let head = unknown.or_note("log", head(folder).await);
    let (sagas, needs_attention) = unknown.or_note("sagas", sagas(folder).await).unzip();
    let models = read_models(folder, head).await;
    let models = unknown.or_note("read models", models);
    Ok(Status {
        of: folder.path().display().to_string(),
        running: process.is_some(),
        ready: process.is_none().then_some(false),
        process,
        down: Vec::new(),
        unknown: unknown.0,
        stale: Vec::new(),
        head,
        models,
        sagas,
        needs_attention,
        notifications: None,
    })
}

async fn head(folder: &DataDir) -> Result<u64> {
    let log = folder.open_log().await?;
    let head = *log.head().borrow();
    log.close().await;
    Ok(head)
}

async fn sagas(folder: &DataDir) -> Result<(Vec<Count>, Vec<Needing>)> {
    let path = folder.sagas();
    if !path.is_file() {
        return Ok((Vec::new(), Vec::new()));
    }
    let audit = saga_orchestrator::audit(path.as_path())
        .await
        .with_context(|| format!("{} can't be read as the sagas' database", path.display()))?;
    let sagas = audit.map(|audit| audit.sagas).unwrap_or_default();
    let states = [
        (SagaState::Running, "running"),
        (SagaState::Waiting, "waiting"),
        (SagaState::NeedsAttention, "needs_attention"),
        (SagaState::Completed, "completed"),
        (SagaState::Compensated, "compensated"),
    ];
    let count = |(state, name): &(SagaState, &'static str)| {
        let count = sagas.iter().filter(|saga| saga.state == *state).count() as u64;
        Count { state: name, sagas: count }
    };
    let needing = sagas.iter().filter(|saga| saga.state == SagaState::NeedsAttention);
    let needing = needing.take(LISTED).map(|saga| Needing {
        id: saga.id.clone(),
        step: saga.step.clone(),
        since: None,
    });
    Ok((states.iter().map(count).collect(), needing.collect()))
}

async fn read_models(folder: &DataDir, head: Option<u64>) -> Result<Vec<Model>> {
    let mut found = Vec::new();
    let survey = offline::survey(&folder.projections()).await?;
    for one in survey.unreadable {
        let name = one.projector.map_or("all", Projector::name).to_owned();
        let state = format!("{} can't be read; the next start builds it anew", one.location);
        found.push(Model { name, position: 0, lag: head, state });
    }
    for one in survey.other_versions {
        let name = one.projector.name().to_owned();
        let state = "of another version; the next start builds it anew".to_owned();
        found.push(Model { name, position: 0, lag: head, state });
    }
    for model in survey.models {
        let snapshot = model.snapshot().await?;
        let position = snapshot.position;
        let parked = match snapshot.parked.keys().len() {
            0 => String::new(),
            keys => format!(", {keys} parked"),
        };
        found.push(Model {
            name: model.projector.name().to_owned(),
            position,
            lag: head.map(|head| head.saturating_sub(position)),
            state: format!("generation {}{parked}", model.generation),
        });
    }
    Ok(found)
}
