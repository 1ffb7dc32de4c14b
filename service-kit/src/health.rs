//! Liveness and readiness.
//!
//! Live: the process can answer. Ready: every named part said that it works. A part that is down never makes the
//! process look dead, so nobody restarts what only waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

/// The parts of a process and whether they work.
#[derive(Debug, Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<String, Result<(), String>>>>,
}

impl Health {
    /// A part works.
    pub fn up(&self, part: &str) {
        self.set(part, Ok(()));
    }

    /// A part does not work, and why.
    pub fn down(&self, part: &str, why: impl Into<String>) {
        self.set(part, Err(why.into()));
    }

    /// True when every part works and there is at least one.
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        !parts.is_empty() && parts.values().all(Result::is_ok)
    }

    /// `/health/live` and `/health/ready`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
            .route("/health/ready", get(ready))
            .with_state(self.clone())
    }

    fn set(&self, part: &str, state: Result<(), String>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.to_owned(), state);
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let ready = health.is_ready();
    let parts = health.parts.lock().unwrap_or_else(PoisonError::into_inner);
    let parts: BTreeMap<&str, &str> = parts
        .iter()
        .map(|(part, state)| (part.as_str(), state.as_ref().err().map_or("up", String::as_str)))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not_ready" };
    (status, Json(json!({ "status": word, "parts": parts }))).into_response()
}
