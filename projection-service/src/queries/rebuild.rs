//! `POST /projections/{name}/rebuild`
//!
//! **Invariant:** a repeat with the key that began a rebuild begins no other one while it runs.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use service_kit::extract::{OptionalJsonBody, PathParams, QueryParams, header_text};
use service_kit::problem::{Code, Problem, ProblemBody, internal};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::answer::Answer;
use super::app::App;
use super::projections::{ProjectionAnswer, describe, find};
use super::reading::NoParams;
use crate::projectors::Projector;
use crate::runner::rebuild::RebuildError;

const KEY: &str = "idempotency-key";

/// The key of the request that began the last rebuild of each model. The lock is held while one begins, so that two
/// requests with the same key can't both be first.
pub(crate) type RebuildKeys = Arc<Mutex<HashMap<Projector, String>>>;

/// A rebuild needs to be told nothing.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildBody {}

/// Builds a model anew beside the live one, compares, and switches.
#[utoipa::path(post, path = "/projections/{name}/rebuild", tag = "Projections",
    params(("name" = String, Path),
        ("Idempotency-Key" = String, Header, description = "A repeat with the same key begins no other rebuild while it runs")),
    request_body = Option<RebuildBody>,
    responses((status = 202, body = ProjectionAnswer), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn rebuild_projection(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
    headers: HeaderMap,
    OptionalJsonBody(RebuildBody {}): OptionalJsonBody<RebuildBody>,
) -> Result<Response, Problem> {
    let key = header_text(&headers, KEY)?.filter(|key| !key.is_empty());
    let key = key.ok_or(Code::IdempotencyKeyMissing)?;
    let handle = find(&app, &name)?;
    let mut keys = app.rebuild_keys.lock().await;
    match app.rebuilder.begin(vec![Arc::clone(handle)]).await {
        Ok(()) => {
            keys.insert(handle.projector, key.to_owned());
        }
        Err(RebuildError::Running(_)) if keys.get(&handle.projector).is_some_and(|k| k == key) => {}
        Err(RebuildError::Running(_)) => return Err(Code::RebuildRunning.into()),
        Err(error @ RebuildError::Catalog(_)) => return Err(internal(&error)),
    }
    drop(keys);
    let (head, seen) = app.seen_at_head();
    Ok((StatusCode::ACCEPTED, Answer(seen, describe(handle, head))).into_response())
}
