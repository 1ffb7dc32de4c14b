//! `POST /projections/{name}/rollback`, `…/switch`, `…/drop`: what an operator decides about the generation that is kept.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service_kit::extract::{OptionalJsonBody, PathParams, QueryParams};
use service_kit::problem::Problem;
use service_kit::responses::ActionProblems;

use super::app::App;
use super::operator::NoWords;
use super::projections::ProjectionAnswer;
use super::reading::NoParams;
use crate::runner::handle::Handle;
use crate::storage::catalog::{Asked, Role};

macro_rules! decision {
    ($(#[doc = $doc:literal])+ $name:ident, $path:literal, $verb:literal, |$app:ident, $handle:ident, $asked:ident| $act:expr) => {
        $(#[doc = $doc])+
        #[utoipa::path(post, path = $path, tag = "Projections",
            params(("name" = String, Path),
                ("Idempotency-Key" = String, Header, description = "A repeat with the same key changes nothing")),
            request_body = Option<NoWords>,
            responses((status = 200, body = ProjectionAnswer, headers(
                    ("Docket-Position" = String, description = "The log's position, as a token"),
                    ("Idempotency-Replayed" = Option<String>, description = "`true` when it was asked for before with this key"))),
                ActionProblems))]
        pub async fn $name(
            State($app): State<App>,
            PathParams(name): PathParams<String>,
            QueryParams(NoParams {}): QueryParams<NoParams>,
            headers: HeaderMap,
            OptionalJsonBody(NoWords {}): OptionalJsonBody<NoWords>,
        ) -> Result<Response, Problem> {
            let act = async |$handle: &Arc<Handle>, $asked: Asked<'_>| $act.await;
            $app.carry_out(&headers, (&name, $verb), StatusCode::OK, act).await
        }
    };
}

decision! {
    /// Makes the generation live again that was live before the last switch. It was fed all the while, so nothing is stale;
    /// the other one is kept in its place.
    roll_back_projection, "/projections/{name}/rollback", "rollback",
    |app, handle, asked| app.rebuilder.swap(handle, Role::Previous, Some(asked))
}

decision! {
    /// Makes the generation live that was built anew and differs, or that was rolled back from; the other one is kept in its
    /// place.
    switch_projection, "/projections/{name}/switch", "switch",
    |app, handle, asked| app.rebuilder.swap(handle, Role::Candidate, Some(asked))
}

decision! {
    /// Drops the generation that is kept beside the live one. After it there is nothing to roll back or to switch to.
    drop_generation, "/projections/{name}/drop", "drop",
    |app, handle, asked| app.rebuilder.drop_kept(handle, Some(asked))
}
