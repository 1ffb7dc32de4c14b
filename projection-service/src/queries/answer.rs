//! An answer that says from which position it is, and whether it is stale.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::refusal::Refusal;
use event_store::Position;
use serde::Serialize;
use serde_json::Value;
use service_kit::access::Caller;
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
    pub(super) told: stale::Stale,
    /// What is asked for is parked: it may be there and not be shown.
    pub(super) is_parked: bool,
}

/// Keys that are named when many are parked.
const NAMED_KEYS: usize = 5;

impl SeenAt {
    /// That there is no such thing; unless it is only not known, because it is parked.
    pub(super) fn absent(&self, problem: Problem) -> Problem {
        match &self.stale {
            Some(Stale { told, is_parked: true }) => {
                Problem::from(Code::KeyParked).detail(told.cause.clone()).retry_after(30)
            }
            _ => problem,
        }
    }

    /// The same of what may be another's, as long as it is not known whose it is: whoever is confined to their own does not hear of it.
    pub(super) fn absent_to(&self, caller: &Caller, problem: Problem) -> Problem {
        if caller.confined_to().is_some() { problem } else { self.absent(problem) }
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
        Self { told: stale::Stale { position, cause }, is_parked: true }
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
        Some(stale::Stale { position, cause }.into())
    }

    /// It is not known how far the log is.
    pub(super) fn unheard(position: Position) -> Self {
        stale::Stale::unheard(position).into()
    }

    /// As it is told to somebody.
    pub(super) fn told_to(self, caller: &Caller) -> Self {
        Self { told: self.told.told_to(caller), ..self }
    }
}

impl From<stale::Stale> for Stale {
    fn from(told: stale::Stale) -> Self {
        Self { told, is_parked: false }
    }
}

impl From<Fault> for Stale {
    fn from(Fault { position, cause, .. }: Fault) -> Self {
        stale::Stale { position, cause }.into()
    }
}

/// A body, and where it was read.
pub(super) struct Answer<T>(pub(super) SeenAt, pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Self(seen, body) = self;
        let mut response = MayBeOld(body, seen.stale.map(|stale| stale.told)).into_response();
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
