//! `POST /projections/{name}/park`, `POST /projections/{name}/replay`: an operator lets a projector go on past an event of one
//! key, and later applies what waited for it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::given::Given;
use domain::operations::OperatorAction;
use domain::text::Reason;
use event_store::Position;
use serde::Deserialize;
use service_kit::access::Caller;
use service_kit::described::{KeyText, LongText, PathName};
use service_kit::extract::{JsonBody, PathParams, QueryParams};
use service_kit::problem::{Problem, ProblemBody};
use service_kit::responses::ActionProblems;
use utoipa::ToSchema;

use super::app::App;
use super::operator::Act;
use super::projections::{ProjectionAnswer, find};
use super::reading::NoParams;
use crate::runner::handle::Handle;
use crate::runner::operate::{OperateError, Operation, parkable, releasable};
use crate::runner::status::Status;
use crate::storage::catalog::Asked;
use crate::storage::parked::ParkedKey;

/// Which event is parked, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "position": 812, "reason": "written by a newer version; goes on after the upgrade" }))]
pub struct ParkKey {
    /// Where the projector stands still, as `fault` says.
    #[schema(value_type = u64)]
    position: Position,
    /// The key, as `fault` says; that one when absent.
    #[serde(default)]
    key: Option<String>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
}

/// Which key goes on, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "key": "22423", "reason": "this version reads it" }))]
pub struct ReplayKey {
    /// The key, as `parked` says.
    key: String,
    /// Why, in a person's words; no personal data: it is kept when a person is erased.
    #[schema(value_type = LongText)]
    reason: Given<Reason>,
}

/// Lets a projector go on that stands still at an event which it can't apply: the key is parked.
///
/// That event and all later ones of its key wait, in order; everything else is folded. Reads of the key are marked stale until a
/// replay of it has applied them. The action is in the log (`OperatorActed`) before it is carried out.
#[utoipa::path(post, path = "/projections/{name}/park", tag = "Projections",
    params(("name" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key changes nothing"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = ParkKey,
    responses((status = 200, body = ProjectionAnswer, headers(
            ("Docket-Position" = String, description = "The log's position, as a token"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when it was asked for before with this key"))),
        (status = 409, description = "It does not stand still there, or no more can be parked", body = ProblemBody, content_type = "application/problem+json"),
        ActionProblems))]
pub async fn park_key(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(ParkKey { position, key, reason }): JsonBody<ParkKey>,
) -> Result<Response, Problem> {
    let handle = find(&app, &name)?;
    // Of which key it is, the projector says; a repeat finds it among what is parked.
    let known = handle.status().borrow().clone();
    let fault = known.fault.as_ref().filter(|fault| fault.position == position);
    let parked = known.parked.keys().find(|waiting| waiting.parked.position == position);
    let found = fault.and_then(|fault| fault.key.clone());
    let found = found.or_else(|| parked.map(|waiting| waiting.parked.key.clone()));
    let key = key.or(found);
    let asked = Act {
        name: &name,
        verb: "park",
        action: OperatorAction::ParkKey,
        key: key.as_deref(),
        position: Some(position),
        reason: Some(reason.value()),
        status: StatusCode::OK,
    };
    let wanted = key.as_deref();
    let is_parked = wanted.is_some_and(|key| known.parked.holds(key, position));
    let may = |status: &Status| {
        if is_parked { Ok(()) } else { parkable(status, position, wanted).map(drop) }
    };
    let actor = caller.actor(&headers)?.into_owned();
    let clock = app.clock.clone();
    let act = async |handle: &Arc<Handle>, noted: Asked<'_>| {
        if !is_parked {
            let status = handle.status().borrow().clone();
            let (key, fault) = parkable(&status, position, wanted)?;
            let reason = reason.get().as_str().to_owned();
            let (cause, parked_at) = (fault.cause, clock());
            let parked = ParkedKey { key, position, cause, reason, actor, parked_at };
            handle.operate(Operation::Park(parked)).await?;
        }
        app.rebuilder.catalog.note(noted).await.map_err(|error| OperateError::Apply(error.into()))
    };
    app.carry_out((&caller, &headers), asked, may, act).await
}

/// Applies what waits for a parked key, in order and whole, and parks it no more.
///
/// What still can't be applied is refused with `key_still_faulted`, which says where; then everything stays as it was.
#[utoipa::path(post, path = "/projections/{name}/replay", tag = "Projections",
    params(("name" = inline(PathName), Path),
        ("Idempotency-Key" = inline(KeyText), Header, description = "A repeat with the same key changes nothing"),
        ("Docket-Actor" = Option<String>, Header, max_length = 200, pattern = "^[ -~]*$", description = "Who acts, where nobody is asked who they are; `operator` when absent")),
    request_body = ReplayKey,
    responses((status = 200, body = ProjectionAnswer, headers(
            ("Docket-Position" = String, description = "The log's position, as a token"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when it was asked for before with this key"))),
        (status = 409, description = "The model is being rebuilt", body = ProblemBody, content_type = "application/problem+json"),
        ActionProblems))]
pub async fn replay_key(
    State(app): State<App>,
    PathParams(name): PathParams<String>,
    QueryParams(NoParams {}): QueryParams<NoParams>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(ReplayKey { key, reason }): JsonBody<ReplayKey>,
) -> Result<Response, Problem> {
    let asked = Act {
        name: &name,
        verb: "replay",
        action: OperatorAction::ReplayKey,
        key: Some(&key),
        position: None,
        reason: Some(reason.value()),
        status: StatusCode::OK,
    };
    let may = |status: &Status| releasable(status, &key);
    let act = async |handle: &Arc<Handle>, noted: Asked<'_>| {
        handle.operate(Operation::Release(key.clone())).await?;
        app.rebuilder.catalog.note(noted).await.map_err(|error| OperateError::Apply(error.into()))
    };
    app.carry_out((&caller, &headers), asked, may, act).await
}
