//! An answer that says from which position it is, and whether it is stale.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::refusal::Refusal;
use event_store::Position;
use serde::Serialize;
use serde_json::Value;
use service_kit::position::{HEADER, PositionToken};
use service_kit::problem::{Code, Problem, internal};
use service_kit::stale::{self, MayBeOld};

use crate::runner::apply::Fault;
use crate::storage::parked::{Parked, Waiting};

/// Where a model was read.
#[derive(Debug, Clone)]
pub(super) struct SeenAt {
    pub(super) token: PositionToken,
    /// Why it may be older than the log is, if somebody has to be told.
    pub(super) stale: Option<Stale>,
}

/// Why an answer may be older than the log is.
#[derive(Debug, Clone)]
pub(super) struct Stale {
    /// The position that the model can't get over, or that is the last one heard of.
    pub(super) position: Position,
    pub(super) cause: String,
    /// What is asked for is parked: it may be there and not be shown.
    pub(super) is_parked: bool,
}

/// Keys that are named when many are parked.
const NAMED_KEYS: usize = 5;

impl SeenAt {
    /// That there is no such thing; unless it is only not known, because it is parked.
    pub(super) fn absent(&self, problem: Problem) -> Problem {
        match &self.stale {
            Some(Stale { cause, is_parked: true, .. }) => {
                Problem::from(Code::KeyParked).detail(cause.clone()).retry_after(30)
            }
            _ => problem,
        }
    }
}

impl Stale {
    /// What was asked for is parked.
    pub(super) fn parked_key(Waiting { parked, events }: &Waiting) -> Self {
        let (key, position) = (&parked.key, parked.position);
        let cause = format!(
            "`{key}` is parked since position {position}, and {events} of its events wait: {}",
            parked.cause
        );
        Self { position, cause, is_parked: true }
    }

    /// Among what was asked for, something may be parked; `None` when nothing is.
    pub(super) fn parked_keys(parked: &Parked) -> Option<Self> {
        let position = parked.keys().map(|waiting| waiting.parked.position).min()?;
        let names: Vec<&str> =
            parked.keys().take(NAMED_KEYS).map(|waiting| waiting.parked.key.as_str()).collect();
        let (count, names) = (parked.keys().len(), names.join(", "));
        let more = if count > NAMED_KEYS { ", …" } else { "" };
        let cause = format!(
            "{count} parked: what happened since to {names}{more} is not shown; see the projection's `parked`"
        );
        Some(Self { position, cause, is_parked: false })
    }

    /// It is not known how far the log is.
    pub(super) fn unheard(position: Position) -> Self {
        let stale::Stale { position, cause } = stale::Stale::unheard(position);
        Self { position, cause, is_parked: false }
    }
}

impl From<Fault> for Stale {
    fn from(Fault { position, cause, .. }: Fault) -> Self {
        Self { position, cause, is_parked: false }
    }
}

/// A body, and where it was read.
pub(super) struct Answer<T>(pub(super) SeenAt, pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Self(seen, body) = self;
        let stale =
            seen.stale.map(|Stale { position, cause, .. }| stale::Stale { position, cause });
        let mut response = MayBeOld(body, stale).into_response();
        response.headers_mut().insert(HEADER, seen.token.to_header());
        response
    }
}

/// There is no such thing at this position: the same code and words as a command about it would get.
pub(super) fn not_found(refusal: &Refusal) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, refusal.code(), refusal.title()).detail(refusal.to_string())
}

/// A read of the database, or the problem that it failed.
pub(super) fn read<T>(result: Result<T, sqlx::Error>) -> Result<T, Problem> {
    result.map_err(|error| failed(&error))
}

/// The database could not answer: gone for now, or something is wrong.
pub(super) fn failed(error: &sqlx::Error) -> Problem {
    if storage::is_away(error) {
        tracing::warn!(%error, "the database of the read models can't be reached");
        let told = "the database of the read models does not answer";
        return Problem::from(Code::Unavailable).detail(told).retry_after(1);
    }
    internal(error)
}

/// An enum's word, as it stands in JSON.
pub(super) fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
