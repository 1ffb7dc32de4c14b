//! The answer to a command that was carried out.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use service_kit::idempotency::mark_replayed;
use service_kit::position::{self, PositionToken};

use super::app::App;
use crate::processor::Outcome;

/// What a command answers that was carried out.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Accepted {
    /// What the command was about.
    id: String,
    /// Its version afterwards, as in `ETag`.
    version: u64,
    /// The position of the last event, or the log's head when there was none.
    position: u64,
    /// Of an order: where it stands. Of a cancellation or a return that was waited for: what came of it, once it is decided.
    status: Option<String>,
    /// Why, of what was rejected, cancelled, declined, not refunded, or settled by hand.
    reason: Option<String>,
    /// The cancellation that was begun.
    cancellation_id: Option<String>,
    /// The return that was begun.
    return_id: Option<String>,
    /// The number of the line that was added.
    line: Option<u32>,
}

/// The responses of a command that makes something.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
#[response(status = 201, description = "Made, and on disk", headers(
        ("ETag" = String, description = "The version, in quotes"),
        ("Docket-Position" = String, description = "The position of the last event, as a token"),
        ("Idempotency-Replayed" = Option<String>, description = "`true` when it is the stored answer of an earlier request with the same key"),
        ("Preference-Applied" = Option<String>, description = "With `Prefer: wait=N`, where it is taken: the wait that was kept to, such as `wait=30`"),
    ))]
pub(super) struct Created(Accepted);

/// The responses of a command that changes something.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only its schema is used")]
#[response(status = 200, description = "Done, and on disk; or it was so already", headers(
        ("ETag" = String, description = "The version, in quotes"),
        ("Docket-Position" = String, description = "The position of the last event, as a token"),
        ("Idempotency-Replayed" = Option<String>, description = "`true` when it is the stored answer of an earlier request with the same key"),
        ("Preference-Applied" = Option<String>, description = "With `Prefer: wait=N`, where it is taken: the wait that was kept to, such as `wait=30`"),
    ))]
pub(super) struct Changed(Accepted);

/// The response of an outcome.
pub(super) fn response(app: &App, outcome: &Outcome) -> Response {
    response_with(app, outcome, members(outcome))
}

/// The members of the stored answer.
pub(super) fn members(outcome: &Outcome) -> Map<String, Value> {
    match serde_json::from_str(&outcome.body) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The response of an outcome with these members beside version and position.
pub(super) fn response_with(
    app: &App,
    outcome: &Outcome,
    mut members: Map<String, Value>,
) -> Response {
    members.insert("version".into(), outcome.version.into());
    members.insert("position".into(), outcome.position.into());
    let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Json(Value::Object(members))).into_response();
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", outcome.version)) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(position::HEADER, position_header(app, outcome.position));
    if outcome.replayed {
        mark_replayed(headers);
    }
    response
}

/// `Docket-Position` of this log.
pub(super) fn position_header(app: &App, position: u64) -> HeaderValue {
    let identity = app.log.identity();
    let (log, epoch) = (identity.log.to_string(), identity.epoch);
    PositionToken { log, epoch, position }.to_header()
}
