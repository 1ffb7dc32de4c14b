//! `GET /overview`: what an operator looks at first.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::extract::QueryParams;
use service_kit::problem::ProblemBody;

use super::ask::{Asker, Behind};
use super::parts::{Missing, Old, Told, answered};

/// Each part with where it is.
const PARTS: [(&str, &str); 4] = [
    ("sagas_in_attention", "/v1/sagas?state=needs_attention&limit=20"),
    ("dead_letters", "/v1/dead-letters?limit=20"),
    ("orders_on_hold", "/v1/orders?status=on_hold&limit=20"),
    ("projections", "/v1/projections"),
];

/// What an operator looks at first
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Overview {
    /// The oldest sagas that wait for a person, at most 20, as in the list of sagas; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    sagas_in_attention: Option<Vec<Value>>,
    /// The oldest dead letters, at most 20, as in their list; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    dead_letters: Option<Vec<Value>>,
    /// The newest orders on hold, at most 20, as in the list of orders; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    orders_on_hold: Option<Vec<Value>>,
    /// Every read model, as in their list; `null` when they are missing.
    #[schema(value_type = Option<Vec<Object>>)]
    projections: Option<Vec<Value>>,
    /// Whether a part is missing.
    partial: bool,
    /// Each part that is missing, and why.
    missing: Vec<Missing>,
    /// From which position each part is that is read from a model: its `Docket-Position`.
    positions: BTreeMap<&'static str, String>,
    /// Whether a part may be older than the log is; then the header `Docket-Stale` says it, too.
    stale: bool,
    /// Each part that may be, and why.
    stale_parts: Vec<Old>,
}

/// No parameter is taken.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What nobody could give at all.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum OverviewProblems {
    /// A parameter is there, and none is taken.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemBody),
    /// No part can be had now: try again after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemBody),
}

/// What needs a person, and how the read models do
///
/// A part that can't be had now is left out and named in `missing`; when none can be had, the answer is an error. A part that may be
/// older than the log is, is named in `stale_parts`, and the answer says `Docket-Stale: true`.
#[utoipa::path(get, path = "/overview", tag = "Overviews",
    responses((status = 200, body = Overview), OverviewProblems))]
pub(super) async fn overview(
    State(behind): State<Behind>,
    asker: Asker,
    QueryParams(Nothing {}): QueryParams<Nothing>,
) -> Response {
    let answers = PARTS.map(async |(_, path)| behind.get(&asker, path).await);
    let mut told = Told::default();
    let mut parts = Vec::with_capacity(PARTS.len());
    for ((part, _), answer) in PARTS.into_iter().zip(join_all(answers).await) {
        parts.push(told.list(part, answer).await);
    }
    if let Some(instead) = told.nothing() {
        return instead;
    }
    let mut parts = parts.into_iter();
    let mut next = || parts.next().flatten();
    let overview = Overview {
        sagas_in_attention: next(),
        dead_letters: next(),
        orders_on_hold: next(),
        projections: next(),
        partial: !told.missing.is_empty(),
        missing: told.missing,
        positions: told.positions,
        stale: !told.old.is_empty(),
        stale_parts: told.old,
    };
    let is_stale = overview.stale;
    answered(overview, is_stale)
}
