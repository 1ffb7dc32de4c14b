//! `POST /projections/{name}/rebuild`

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::operations::OperatorAction;
use service_kit::access::Caller;
use service_kit::described::{KeyText, PathName};
use service_kit::extract::{OptionalJsonBody, PathParams, QueryParams};
use service_kit::problem::{Problem, ProblemBody};
use service_kit::responses::ActionProblems;

use super::app::App;
use super::operator::{Act, Why};
use super::projections::ProjectionAnswer;
use super::reading::NoParams;
use crate::projectors::Projector;
use crate::runner::rebuild::RebuildError;
use crate::runner::status::Status;

/// Builds a model anew beside the live one, compares, and switches. When the two differ, nothing is switched: the new one is
/// kept, and an operator decides.
#[utoipa::path(post, path = "/projections/{name}/rebuild", tag = "Projections",
    params(("name" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key begins no other rebuild"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = Why,
    responses((status = 202, body = ProjectionAnswer, headers(
            ("Docket-Position" = String, description = "The log's position, as a token"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when it was asked for before with this key"))),
        (status = 409, description = "It is being rebuilt already", body = ProblemBody, content_type = "application/problem+json"),
        ActionProblems))]
pub async fn rebuild_projection(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJsonBody(why): OptionalJsonBody<Why>,
) -> Result<Response, Problem> {
    let rebuild = async |handle: &Arc<_>, asked: crate::storage::catalog::Asked<'_>| {
        app.rebuilder.begin(vec![Arc::clone(handle)], Some(asked)).await
    };
    let asked = Act {
        name: &name,
        verb: "rebuild",
        action: OperatorAction::Rebuild,
        key: None,
        position: None,
        reason: why.reason(),
        status: StatusCode::ACCEPTED,
    };
    let may = |status: &Status| match Projector::parse(&name) {
        Some(projector) if status.rebuild.is_some() => Err(RebuildError::Running(projector.name())),
        _ => Ok(()),
    };
    app.carry_out((&caller, &headers), asked, may, rebuild).await
}
