//! `POST /projections/{name}/rollback`, `…/switch`, `…/drop`: what an operator decides about the generation that is kept.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::operations::OperatorAction;
use service_kit::access::Caller;
use service_kit::described::{KeyText, PathName};
use service_kit::extract::{OptionalJsonBody, PathParams, QueryParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;

use super::app::App;
use super::operator::{Act, Why};
use super::projections::ProjectionAnswer;
use super::reading::NoParams;
use crate::runner::decide::DecisionError;
use crate::runner::handle::Handle;
use crate::runner::status::Status;
use crate::storage::catalog::{Asked, Role};

/// Whether a generation of this role, or of any, is kept.
fn keeps(status: &Status, role: Option<Role>) -> Result<(), DecisionError> {
    let kept = status.kept.map(|beside| beside.kept.role);
    let is_it = |kept| role.is_none_or(|role| role == kept);
    if kept.is_some_and(is_it) { Ok(()) } else { Err(DecisionError::NotKept) }
}

macro_rules! decision {
    ($(#[doc = $doc:literal])+ $name:ident, $path:literal, $verb:literal, $action:ident, $role:expr, |$app:ident, $handle:ident, $asked:ident| $act:expr) => {
        $(#[doc = $doc])+
        #[utoipa::path(post, path = $path, tag = "Projections",
            params(("name" = inline(PathName), Path),
                ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key changes nothing"),
                ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
            request_body = Why,
            responses((status = 200, body = ProjectionAnswer, headers(
                    ("Docket-Position" = String, description = "The log's position, as a token"),
                    ("Idempotency-Replayed" = Option<String>, description = "`true` when it was asked for before with this key"))),
                ActionProblems))]
        pub async fn $name(
            State($app): State<App>,
            PathParams(name): PathParams<String>,
            QueryParams(NoParams {}): QueryParams<NoParams>,
            caller: Caller,
            headers: HeaderMap,
            OptionalJsonBody(why): OptionalJsonBody<Why>,
        ) -> Result<Response, Problem> {
            let act = async |$handle: &Arc<Handle>, $asked: Asked<'_>| $act.await;
            let asked = Act {
                name: &name,
                verb: $verb,
                action: OperatorAction::$action,
                key: None,
                position: None,
                reason: why.reason(),
                status: StatusCode::OK,
            };
            $app.carry_out((&caller, &headers), asked, |status| keeps(status, $role), act).await
        }
    };
}

decision! {
    /// Makes the generation live again that was live before the last switch. It was fed all the while, so nothing is stale;
    /// the other one is kept in its place.
    roll_back_projection, "/projections/{name}/rollback", "rollback", RollBack, Some(Role::Previous),
    |app, handle, asked| app.rebuilder.swap(handle, Role::Previous, Some(asked))
}

decision! {
    /// Makes the generation live that was built anew and differs, or that was rolled back from; the other one is kept in its
    /// place.
    switch_projection, "/projections/{name}/switch", "switch", Switch, Some(Role::Candidate),
    |app, handle, asked| app.rebuilder.swap(handle, Role::Candidate, Some(asked))
}

decision! {
    /// Drops the generation that is kept beside the live one. After it there is nothing to roll back or to switch to.
    drop_generation, "/projections/{name}/drop", "drop", Drop, None,
    |app, handle, asked| app.rebuilder.drop_kept(handle, Some(asked))
}
