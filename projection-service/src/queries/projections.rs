//! `GET /projections`, `GET /projections/{name}`

use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use event_store::Position;
use serde::Serialize;
use service_kit::described::PathName;
use service_kit::extract::{PathParams, QueryParams};
use service_kit::problem::{Code, Problem};
use service_kit::responses::PageProblems;
use utoipa::ToSchema;

use super::answer::{Answer, SeenAt};
use super::app::App;
use super::reading::NoParams;
use crate::projectors::Projector;
use crate::runner::apply::Fault;
use crate::runner::handle::Handle;
use crate::runner::status::{KeptBeside, Progress, Rebuilt, State as Standing, tenths};
use crate::storage::catalog::{Kept, Role};
use crate::storage::parked::{ParkedKey, Waiting};

/// A projector in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProjectionSummary {
    /// Its name.
    pub name: &'static str,
    /// The last position folded.
    #[schema(value_type = u64)]
    pub position: Position,
    /// The log's last position.
    #[schema(value_type = u64)]
    pub head: Position,
    /// Where it stands.
    pub state: Standing,
    /// How many keys are parked.
    pub parked: usize,
}

/// Every projector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProjectionList {
    /// The projectors.
    pub items: Vec<ProjectionSummary>,
    /// There is never a further page.
    pub next: Option<String>,
}

/// A projector. While it is rebuilt, position, target, rate and time to go are those of the generation that is built.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProjectionAnswer {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub state: Standing,
    /// The last position folded.
    #[schema(value_type = u64)]
    pub position: Position,
    /// Where it has to go.
    #[schema(value_type = u64)]
    pub target: Position,
    /// Events a second, to one decimal.
    pub rate: f64,
    /// Seconds to go at that rate, to one decimal; `null` while there is none.
    pub eta_seconds: Option<f64>,
    /// The last position folded by the generation that is read now.
    #[schema(value_type = u64)]
    pub live_position: Position,
    /// The generation that is read now.
    pub generation: u32,
    /// The version of its definition.
    pub definition_version: u32,
    /// Where it stands still, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How the last rebuild ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rebuild: Option<Rebuilt>,
    /// The generation that is kept beside the one that is read, and fed like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptGeneration>,
    /// The keys that are parked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<ParkedKeyAnswer>,
}

/// A key that is parked: what happened to it since is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParkedKeyAnswer {
    /// The key of its row.
    pub key: String,
    /// The event that could not be applied.
    #[schema(value_type = u64)]
    pub position: Position,
    /// Why it could not.
    pub cause: String,
    /// Why it was parked.
    pub reason: String,
    /// Who parked it.
    pub actor: String,
    /// When.
    pub parked_at: DateTime<Utc>,
    /// Its events that wait.
    pub waiting: u64,
}

impl From<&Waiting> for ParkedKeyAnswer {
    fn from(Waiting { parked, events }: &Waiting) -> Self {
        let ParkedKey { key, position, cause, reason, actor, parked_at } = parked.clone();
        Self { key, position, cause, reason, actor, parked_at, waiting: *events }
    }
}

/// A generation that is kept beside the one that is read. It is dropped in time, by a drop, or by the next rebuild.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptGeneration {
    /// Its number.
    pub generation: u32,
    /// What it is, and so what makes it the one that is read.
    pub role: Role,
    /// Seconds until it is dropped; they begin anew at a restart.
    pub dropped_in_seconds: u64,
}

impl From<KeptBeside> for KeptGeneration {
    fn from(KeptBeside { kept: Kept { generation, role }, until }: KeptBeside) -> Self {
        let left = until.saturating_duration_since(Instant::now());
        Self { generation, role, dropped_in_seconds: left.as_secs() }
    }
}

/// All that is told of a projector, with the log at this head.
pub(crate) fn describe(handle: &Handle, head: Position) -> ProjectionAnswer {
    let status = handle.status().borrow().clone();
    let live = Progress { rate: status.rate, ..Progress::after(0.0, 0, status.position, head) };
    let shown = status.rebuild.unwrap_or(live);
    let definition = handle.projector.definition();
    ProjectionAnswer {
        name: definition.name,
        state: status.shown(),
        position: shown.position,
        target: shown.target,
        rate: tenths(shown.rate),
        eta_seconds: shown.eta().map(tenths),
        live_position: status.position,
        generation: status.generation,
        definition_version: definition.version,
        fault: status.fault,
        last_rebuild: status.last_rebuild,
        kept: status.kept.map(Into::into),
        parked: status.parked.keys().map(Into::into).collect(),
    }
}

pub(super) fn find<'a>(app: &'a App, name: &str) -> Result<&'a std::sync::Arc<Handle>, Problem> {
    let projector = Projector::parse(name);
    projector.map(|projector| app.handle(projector)).ok_or_else(|| {
        Problem::from(Code::ProjectionNotFound).detail(format!("there is no projection `{name}`"))
    })
}

impl App {
    /// Where the log's head is seen now.
    pub(super) fn seen_at_head(&self) -> (Position, SeenAt) {
        let head = *self.feed.head().borrow();
        (head, SeenAt { token: self.token(head), stale: self.unheard(head) })
    }
}

/// Every projector, and how far it is.
#[utoipa::path(get, path = "/projections", tag = "Projections",
    responses((status = 200, body = ProjectionList), PageProblems))]
pub async fn list_projections(
    State(app): State<App>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
) -> Response {
    let (head, seen) = app.seen_at_head();
    let summary = |handle: &std::sync::Arc<Handle>| {
        let status = handle.status().borrow().clone();
        let name = handle.projector.name();
        let (position, state, parked) =
            (status.position, status.shown(), status.parked.keys().len());
        ProjectionSummary { name, position, head, state, parked }
    };
    let items = app.handles.iter().map(summary).collect();
    Answer(seen, ProjectionList { items, next: None }).into_response()
}

/// One projector: how far it is, and how far its rebuild is.
#[utoipa::path(get, path = "/projections/{name}", tag = "Projections",
    params(("name" = inline(PathName), Path)),
    responses((status = 200, body = ProjectionAnswer), PageProblems))]
pub async fn get_projection(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
) -> Result<Response, Problem> {
    let (head, seen) = app.seen_at_head();
    Ok(Answer(seen, describe(find(&app, &name)?, head)).into_response())
}
