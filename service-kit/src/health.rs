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
    parts: Arc<Mutex<BTreeMap<String, Part>>>,
}

#[derive(Debug, Clone)]
enum Part {
    Up,
    /// Works less well; the process is still ready.
    Degraded(String),
    Down(String),
}

impl Part {
    fn word(&self) -> &str {
        match self {
            Self::Up => "up",
            Self::Degraded(why) | Self::Down(why) => why,
        }
    }
}

impl Health {
    /// A part works.
    pub fn up(&self, part: &str) {
        self.set(part, Part::Up);
    }

    /// A part does not work, and why; the process does what it is for without it.
    pub fn degraded(&self, part: &str, why: impl Into<String>) {
        self.set(part, Part::Degraded(why.into()));
    }

    /// A part does not work, and why.
    pub fn down(&self, part: &str, why: impl Into<String>) {
        self.set(part, Part::Down(why.into()));
    }

    /// True when no part is down and there is at least one.
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        !parts.is_empty() && !parts.values().any(|part| matches!(part, Part::Down(_)))
    }

    /// `/health/live` and `/health/ready`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
            .route("/health/ready", get(ready))
            .with_state(self.clone())
    }

    fn set(&self, part: &str, state: Part) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.to_owned(), state);
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let ready = health.is_ready();
    let parts = health.parts.lock().unwrap_or_else(PoisonError::into_inner);
    let parts: BTreeMap<&str, &str> =
        parts.iter().map(|(part, state)| (part.as_str(), state.word())).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not_ready" };
    (status, Json(json!({ "status": word, "parts": parts }))).into_response()
}
