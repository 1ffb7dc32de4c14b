//! Liveness and readiness.
//!
//! Live: the process can answer. Ready: every named part said that it works. Standing by: all that it lacks is that another
//! process ends, whose place it takes. A part that is down never makes the process look dead, so nobody restarts what only
//! waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    said: Arc<Mutex<Said>>,
}

#[derive(Debug, Default)]
struct Said {
    parts: BTreeMap<String, Part>,
    /// Whether it is the one of several that works; `None` where there is one only, or where all do.
    active: Option<bool>,
    /// Whether it was asked to end.
    ends: bool,
    /// Who is let in, where it was said.
    entrance: Option<&'static str>,
    /// How far behind the log each is that follows it.
    behind: BTreeMap<&'static str, Duration>,
}

#[derive(Debug, Clone)]
enum Part {
    Up,
    /// Works less well; the process is still ready.
    Degraded(String),
    /// Another process does it; this one takes its place when that one ends.
    StandsBy(String),
    Down(String),
}

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It does what it is for.
    Ready,
    /// It is sound, and another process does what it is for.
    Standby,
    /// Something does not work, or has not started yet.
    NotReady,
    /// It was asked to end: what is under way is answered, and nothing new is to be sent to it.
    Ending,
}

impl Part {
    fn word(&self) -> &str {
        match self {
            Self::Up => "up",
            Self::Degraded(why) | Self::StandsBy(why) | Self::Down(why) => why,
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

    /// A part waits for another process to end, and which.
    pub fn stands_by(&self, part: &str, why: impl Into<String>) {
        self.set(part, Part::StandsBy(why.into()));
    }

    /// A part does not work, and why.
    pub fn down(&self, part: &str, why: impl Into<String>) {
        self.set(part, Part::Down(why.into()));
    }

    /// It was asked to end, and this part is what it is.
    pub fn ends(&self, part: &str) {
        self.said().ends = true;
        self.down(part, "ends");
    }

    /// It is the one process of several that does the work, or stands by for that one.
    pub fn active(&self, active: bool) {
        self.said().active = Some(active);
        metrics::gauge!("docket_active").set(if active { 1.0 } else { 0.0 });
    }

    /// Who is let in: `anybody`, or those with `tokens`.
    pub fn lets_in(&self, whom: &'static str) {
        self.said().entrance = Some(whom);
    }

    /// How far behind the log a part is that follows it.
    pub fn behind(&self, part: &'static str, by: Duration) {
        self.said().behind.insert(part, by);
        metrics::gauge!("docket_behind_seconds", "part" => part).set(by.as_secs_f64());
    }

    /// How far behind the log the part is that is furthest.
    pub fn furthest_behind(&self) -> Option<Duration> {
        self.said().behind.values().max().copied()
    }

    /// It does the work no more, if it was one of several that did.
    pub fn gives_way(&self) {
        if self.said().active.is_some() {
            self.active(false);
        }
    }

    /// What is the matter with a part, or `up`.
    pub fn says(&self, part: &str) -> Option<String> {
        self.said().parts.get(part).map(|part| part.word().to_owned())
    }

    /// Ready when no part is down or stands by, and there is at least one.
    pub fn readiness(&self) -> Readiness {
        let said = self.said();
        let any = |is: fn(&Part) -> bool| said.parts.values().any(is);
        if said.ends {
            Readiness::Ending
        } else if said.parts.is_empty() || any(|part| matches!(part, Part::Down(_))) {
            Readiness::NotReady
        } else if any(|part| matches!(part, Part::StandsBy(_))) {
            Readiness::Standby
        } else {
            Readiness::Ready
        }
    }

    /// Whether it does what it is for.
    pub fn is_ready(&self) -> bool {
        self.readiness() == Readiness::Ready
    }

    /// `/health/live` and `/health/ready`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .with_state(self.clone())
    }

    fn set(&self, part: &str, state: Part) {
        self.said().parts.insert(part.to_owned(), state);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// What it all comes to.
    status: Readiness,
    /// Where one of several processes does the work: whether it is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    /// Who is let in: `anybody`, or those with `tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    entrance: Option<&'static str>,
    /// By how many milliseconds what follows the log is behind it; the part that is furthest.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_ms: Option<u64>,
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
    (status = 503, description = "Another process does what this one stands by for; or a part does not work, or nothing has started yet; or it ends", body = Ready)))]
pub(crate) async fn ready(State(health): State<Health>) -> Response {
    let status = health.readiness();
    let behind = health.furthest_behind();
    let behind_ms = behind.map(|by| u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
    let said = health.said();
    let words = said.parts.iter().map(|(part, state)| (part.clone(), state.word().to_owned()));
    let (parts, active, entrance) = (words.collect(), said.active, said.entrance);
    let code = match status {
        Readiness::Ready => StatusCode::OK,
        Readiness::Standby | Readiness::NotReady | Readiness::Ending => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    (code, Json(Ready { status, active, entrance, behind_ms, parts })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_by_is_not_ready_and_is_sound_only_while_nothing_is_down() {
        let health = Health::default();
        assert_eq!(health.readiness(), Readiness::NotReady, "nothing has started yet");
        health.stands_by("service", "another is active");
        assert_eq!(health.readiness(), Readiness::Standby);
        assert!(!health.is_ready());
        health.degraded("nats", "not connected");
        assert_eq!(health.readiness(), Readiness::Standby);
        health.down("nats", "not connected");
        assert_eq!(health.readiness(), Readiness::NotReady);
        health.up("nats");
        health.up("service");
        assert_eq!(health.readiness(), Readiness::Ready);
        health.ends("service");
        health.up("nats");
        health.up("service");
        assert_eq!(health.readiness(), Readiness::Ending, "whatever its parts say meanwhile");
    }
}
