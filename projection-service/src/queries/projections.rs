//! `GET /projections`, `GET /projections/{name}`, `POST /projections/{name}/rebuild`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event_store::Position;
use serde::Serialize;
use service_kit::extract::PathParams;
use service_kit::problem::{Code, Problem, ProblemBody, internal};
use utoipa::ToSchema;

use super::app::App;
use crate::projectors::Projector;
use crate::runner::applier::Fault;
use crate::runner::handle::Handle;
use crate::runner::rebuild::RebuildError;
use crate::runner::status::{Progress, Rebuilt, State as Standing};

/// A projector in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProjectionSummary {
    /// Its name.
    pub name: &'static str,
    /// The last position folded.
    pub position: Position,
    /// The log's last position.
    pub head: Position,
    /// Where it stands.
    pub state: Standing,
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
    pub position: Position,
    /// Where it has to go.
    pub target: Position,
    /// Events a second.
    pub rate: f64,
    /// Seconds to go at that rate; `null` while there is none.
    pub eta_seconds: Option<f64>,
    /// The last position folded by the generation that is read now.
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
        rate: shown.rate,
        eta_seconds: shown.eta(),
        live_position: status.position,
        generation: status.generation,
        definition_version: definition.version,
        fault: status.fault,
        last_rebuild: status.last_rebuild,
    }
}

fn find<'a>(app: &'a App, name: &str) -> Result<&'a std::sync::Arc<Handle>, Problem> {
    let projector = Projector::parse(name);
    projector.map(|projector| app.handle(projector)).ok_or_else(|| {
        Problem::from(Code::ProjectionNotFound).detail(format!("no projection `{name}`"))
    })
}

/// Every projector, and how far it is.
#[utoipa::path(get, path = "/projections", tag = "Projections",
    responses((status = 200, body = ProjectionList)))]
pub async fn list_projections(State(app): State<App>) -> Json<ProjectionList> {
    let head = *app.feed.head().borrow();
    let summary = |handle: &std::sync::Arc<Handle>| {
        let status = handle.status().borrow().clone();
        let name = handle.projector.name();
        ProjectionSummary { name, position: status.position, head, state: status.shown() }
    };
    Json(ProjectionList { items: app.handles.iter().map(summary).collect(), next: None })
}

/// One projector: how far it is, and how far its rebuild is.
#[utoipa::path(get, path = "/projections/{name}", tag = "Projections",
    params(("name" = String, Path)),
    responses((status = 200, body = ProjectionAnswer), (status = 404, body = ProblemBody)))]
pub async fn get_projection(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
) -> Result<Json<ProjectionAnswer>, Problem> {
    let head = *app.feed.head().borrow();
    Ok(Json(describe(find(&app, &name)?, head)))
}

/// Builds a model anew beside the live one, compares, and switches.
#[utoipa::path(post, path = "/projections/{name}/rebuild", tag = "Projections",
    params(("name" = String, Path)),
    responses((status = 202, body = ProjectionAnswer), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn rebuild_projection(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
) -> Result<Response, Problem> {
    let handle = find(&app, &name)?;
    match app.rebuilder.begin(vec![std::sync::Arc::clone(handle)]).await {
        Ok(()) => {
            let head = *app.feed.head().borrow();
            Ok((StatusCode::ACCEPTED, Json(describe(handle, head))).into_response())
        }
        Err(RebuildError::Running(_)) => Err(Code::RebuildRunning.into()),
        Err(error @ RebuildError::Catalog(_)) => Err(internal(&error)),
    }
}
