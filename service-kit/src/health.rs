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
use serde::Serialize;

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
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .with_state(self.clone())
    }

    fn set(&self, part: &str, state: Part) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.to_owned(), state);
    }
}

/// The process can answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Live {
    /// Always `live`.
    status: &'static str,
}

/// Whether the process can do what it is for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Ready {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// Each part by its name: `up`, or what is the matter with it.
    parts: BTreeMap<String, String>,
}

/// Whether the process can answer
#[utoipa::path(get, path = "/health/live", tag = "Operations",
    responses((status = 200, body = Live)))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

/// Whether the process can do what it is for, and which part of it can't
#[utoipa::path(get, path = "/health/ready", tag = "Operations", responses(
    (status = 200, description = "Every part works, some perhaps less well", body = Ready),
    (status = 503, description = "A part does not work, or nothing has started yet", body = Ready)))]
pub(crate) async fn ready(State(health): State<Health>) -> Response {
    let ready = health.is_ready();
    let parts = health.parts.lock().unwrap_or_else(PoisonError::into_inner);
    let words = parts.iter().map(|(part, state)| (part.clone(), state.word().to_owned()));
    let parts = words.collect();
    let (code, status) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    (code, Json(Ready { status, parts })).into_response()
}
